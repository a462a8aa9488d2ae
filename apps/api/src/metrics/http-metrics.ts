import type { NextFunction, Request, Response } from 'express';
import { z } from 'zod';
import type { Metrics } from '#libs/observability/metrics.js';
import { noteAlone } from '#libs/observability/tracing.js';

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const Route = z.object({ path: z.string() });

/** Who asks whether the api is well, every few seconds, is measured but not traced. */
const PROBES = /^(\/api)?\/(health|metrics)(\/|$)/;

/** Measures and traces every request by method, route (never the path itself, which has no bounds) and status. */
export function httpMetrics(metrics: Metrics): (request: Request, response: Response, next: NextFunction) => void {
  const seconds = metrics.histogram(
    'vigil_http_request_seconds',
    'Time from a request to the end of its answer.',
    ['method', 'route', 'status'],
    BUCKETS,
  );
  return (request, response, next) => {
    const [startedAt, at] = [performance.now(), Date.now()];
    response.once('close', () => {
      const route = Route.safeParse(request.route);
      const labels = { method: request.method, route: route.success ? route.data.path : 'none' };
      seconds.observe({ ...labels, status: String(response.statusCode) }, (performance.now() - startedAt) / 1_000);
      if (!PROBES.test(request.path)) noteRequest(labels, response.statusCode, at);
    });
    next();
  };
}

function noteRequest({ method, route }: { method: string; route: string }, status: number, startedAt: number): void {
  noteAlone({
    ...{ name: `${method} ${route}`, kind: 'server', startedAt, failed: status >= 500 },
    attributes: { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status },
  });
}
