/** Who asks. */
export type Asker = 'admin' | 'agent';

/** One request of the bench. */
export interface BenchRequest {
  /** How it is called in the figures: the path with its query, ids by their name; `(agent)` behind it for an agent. */
  name: string;
  path: string;
  asker: Asker;
}

/** What the paths are filled with. */
export interface Subjects {
  /** The stream with the most detections, and one with few. */
  busyStream: string;
  quietStream: string;
  agent: string;
  detection: string;
  /** Cursors from the middle of the lists. */
  cursors: Readonly<Record<'detections' | 'stream' | 'transcripts' | 'notifications' | 'logs', string>>;
  /** Instants for filters by time: two weeks and a day before now, and 90 days. */
  weeksAgo: string;
  dayAgo: string;
  monthsAgo: string;
}

/** Requests that an admin and an agent both make. */
const SHARED = [
  '/api/detections',
  '/api/detections?limit=200',
  '/api/detections?cursor={cursors.detections}',
  '/api/detections?kind=audio',
  '/api/detections?kind=chat&severity=critical',
  '/api/detections?kind=video&cursor={cursors.detections}',
  '/api/detections?label=person',
  '/api/detections?label=bird&severity=critical',
  '/api/detections?label=nothing-of-this-name',
  '/api/detections?severity=critical',
  '/api/detections?detector=sound',
  '/api/detections?detector=nothing',
  '/api/detections?verdict=false',
  '/api/detections?verdict=none&severity=critical',
  '/api/detections?from={dayAgo}',
  '/api/detections?to={weeksAgo}',
  '/api/detections?label=bird&to={weeksAgo}',
  '/api/detections?streamId={busyStream}',
  '/api/detections?streamId={quietStream}&label=bird',
  '/api/streams/{busyStream}/detections',
  '/api/streams/{busyStream}/detections?cursor={cursors.stream}',
  '/api/streams/{busyStream}/transcripts',
  '/api/streams/{quietStream}/transcripts?q=zeppelin',
  '/api/transcripts?q=zeppelin',
  '/api/transcripts?q=free money',
  '/api/transcripts?q=nothingofthisname',
  '/api/transcripts?q=phone&cursor={cursors.transcripts}',
  '/api/transcripts?q=river&to={weeksAgo}',
  '/api/notifications',
  '/api/notifications?unread=true',
  '/api/notifications?cursor={cursors.notifications}',
  '/api/notifications/unread-count',
  '/api/streams',
  '/api/streams?monitored=false',
  '/api/assignments',
  '/api/analytics/detections',
  '/api/analytics/detections?by=label',
  '/api/analytics/detections?by=stream&bucket=hour',
  '/api/analytics/detections?by=verdict',
  '/api/analytics/detections?by=severity&from={monthsAgo}',
  '/api/agents/{agent}/performance',
  '/api/detections/{detection}/verdicts',
] as const;

const OF_ADMINS = [
  '/api/objects',
  '/api/keywords',
  '/api/signals',
  '/api/monitors',
  '/api/streams/{busyStream}/zones',
  '/api/streams?agentId={agent}',
  '/api/assignments?agentId={agent}',
  '/api/agents',
  '/api/agents/{agent}/assignments',
  '/api/auth/invitations',
  '/api/service-tokens',
  '/api/dashboard',
  '/api/logs',
  '/api/logs?cursor={cursors.logs}',
  '/api/logs?actorId={agent}',
  '/api/logs?action=stream.created',
  '/api/logs?targetType=stream&targetId={busyStream}',
  '/api/logs?to={weeksAgo}',
  '/api/logs?action=nothing.done&from={dayAgo}',
] as const;

const OF_AGENTS = ['/api/agent/dashboard'] as const;

/** Every request, its places filled. */
export function requestsFor(subjects: Subjects): BenchRequest[] {
  const of = (asker: Asker, templates: readonly string[]): BenchRequest[] =>
    templates.map((template) => ({
      name: asker === 'admin' ? template : `${template} (agent)`,
      path: encodeURI(template.replaceAll(/\{([\w.]+)\}/g, (_, place: string) => valueAt(subjects, place))),
      asker,
    }));
  return [...of('admin', [...SHARED, ...OF_ADMINS]), ...of('agent', [...SHARED, ...OF_AGENTS])];
}

function valueAt(subjects: Subjects, place: string): string {
  const value = place.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], subjects);
  if (typeof value !== 'string') throw new TypeError(`the bench knows no ${place}`);
  return value;
}
