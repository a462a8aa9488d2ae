import { CaptureError } from '../capture/capture-error.js';
import { PlatformError } from '../platforms/platform.port.js';
import { diagnose } from './diagnosis.js';

describe('diagnose', () => {
  it('calls a source offline only after three failures in a row', () => {
    const gone = new PlatformError('gone', 'not_found', 'The server does not have it.');
    expect([0, 1, 2, 3].map((failures) => diagnose(gone, failures).status)).toEqual([
      'starting',
      'starting',
      'offline',
      'offline',
    ]);
  });

  it('calls it an error at once when time alone mends nothing', () => {
    const refused = new CaptureError('refused_address', 'That address is private.');
    expect(diagnose(refused, 0)).toEqual({
      status: 'error',
      reason: 'refused_address',
      detail: 'That address is private.',
    });
  });

  it('waits for what is not on air, and tells at once what somebody must change', () => {
    const statuses = (['offline', 'gone', 'private', 'geo_blocked', 'auth_required', 'challenge'] as const).map(
      (status) => diagnose(PlatformError.of(status, 'The site says so.'), 2),
    );
    expect(statuses.map(({ status }) => status)).toEqual(['offline', 'offline', 'error', 'error', 'error', 'error']);
    expect(statuses.map(({ reason }) => reason)).toEqual([
      ...['offline', 'gone', 'private', 'geo_blocked', 'auth_required', 'challenge'],
    ]);
  });

  it('takes what it does not know for a failed capture', () => {
    expect(diagnose(new Error('boom'), 9)).toEqual({ status: 'offline', reason: 'capture_failed', detail: 'boom' });
  });
});
