import { withSummary } from './summary.js';

const row = (figure: string) => ({ name: 'ingest', figure, limit: '10 a second', peer: 'none' });
const now = new Date('2026-01-02T03:04:05Z');

describe('withSummary', () => {
  const page = '# Benchmarks\n\nRun them.\n\n## video\n\nOf video.\n';

  it('puts the table before the first section, with machine and date, and leaves the rest alone', () => {
    const written = withSummary(page, [row('5 a second')], 'Two cores', now);
    expect(written).toContain('Two cores, 2026-01-02.');
    expect(written).toContain('| ingest | 5 a second | 10 a second           | none                 |');
    expect(written.indexOf('5 a second')).toBeLessThan(written.indexOf('## video'));
    expect(written.endsWith('## video\n\nOf video.\n')).toBe(true);
  });

  it('takes the place of the table that is there', () => {
    const written = withSummary(
      withSummary(page, [row('5 a second')], 'Two cores', now),
      [row('6 a second')],
      'B',
      now,
    );
    expect(written).not.toContain('5 a second');
    expect(written.match(/## Summary/g)).toHaveLength(1);
    expect(written).toBe(withSummary(page, [row('6 a second')], 'B', now));
  });
});
