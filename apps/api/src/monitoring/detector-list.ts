import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import type { DetectorList } from './monitoring.dto.js';

type State = MonitorHeartbeat['detectors'][number]['state'];

/** From best to worst. */
const STATES: readonly State[] = ['ready', 'loading', 'degraded'];

/** The detectors of all monitors, each once, by id; title and options are those of the monitor heard of last. */
export function detectorsOf(monitors: readonly MonitorHeartbeat[]): DetectorList {
  const byId = new Map<string, DetectorList['items'][number]>();
  for (const { monitorId, detectors } of [...monitors].sort((a, b) => b.at - a.at)) {
    for (const { id, title, options, state, detail, model, labels } of detectors) {
      const known = byId.get(id) ?? { id, title, options, state, labels: [], monitors: [] };
      byId.set(id, {
        ...known,
        state: STATES.indexOf(state) > STATES.indexOf(known.state) ? state : known.state,
        labels: [...new Set([...known.labels, ...labels])],
        monitors: [...known.monitors, { monitorId, state, detail, model }],
      });
    }
  }
  return { items: [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}
