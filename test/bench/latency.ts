/** Not there yet. */
export function benchLatency(): Promise<object> {
  return Promise.reject(new Error('not there yet'));
}
