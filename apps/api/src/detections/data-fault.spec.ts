import { AppError } from '#libs/errors/app-error.js';
import { isDataFault } from './data-fault.js';

const wrapped = (code: string): Error => Object.assign(new Error('failed'), { driverError: { code } });

describe('isDataFault', () => {
  it.each(['22021', '22P05', '23502', '54000'])('blames the data for SQLSTATE %s', (code) => {
    expect(isDataFault(wrapped(code))).toBe(true);
  });

  it.each(['08006', '57P01', '53100', '40001', '42P01', '25006', '55P03'])('waits on SQLSTATE %s', (code) => {
    expect(isDataFault(wrapped(code))).toBe(false);
  });

  it('waits on a connection that broke and on what it does not know', () => {
    expect(isDataFault(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))).toBe(false);
    expect(isDataFault(new Error('Connection terminated unexpectedly'))).toBe(false);
    expect(isDataFault(new AppError('x.y', 'operational', 'away'))).toBe(false);
    expect(isDataFault(undefined)).toBe(false);
  });

  it('blames the data when a handler cannot work with a value', () => {
    expect(isDataFault(new TypeError('x'))).toBe(true);
    expect(isDataFault(new AppError('x.y', 'unexpected', 'cannot be'))).toBe(true);
  });
});
