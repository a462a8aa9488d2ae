import type { NextFunction, Request, Response } from 'express';
import { z } from 'zod';
import type { Metrics } from '#libs/observability/metrics.js';

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const Route = z.object({ path: z.string() });

/** Measures every request by method, route (never the path itself, which has no bounds) and status. */
export function httpMetrics(metrics: Metrics): (request: Request, response: Response, next: NextFunction) => void {
  const seconds = metrics.histogram(
    'vigil_http_request_seconds',
    'Time from a request to the end of its answer.',
    ['method', 'route', 'status'],
    BUCKETS,
  );
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const route = Route.safeParse(request.route);
      const labels = { method: request.method, route: route.success ? route.data.path : 'none' };
      seconds.observe({ ...labels, status: String(response.statusCode) }, (performance.now() - startedAt) / 1_000);
    });
    next();
  };
}
