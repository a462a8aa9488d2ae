import type { Platform } from './platform.port.js';
import { UrlPlatform } from './url/url.platform.js';

/** What the adapters need to know of the configuration. */
export interface PlatformOptions {
  /** Whether `file:` urls may be watched. */
  allowFiles: boolean;
}

/** Every platform there is: one line each. */
export function registerPlatforms(options: PlatformOptions): readonly Platform[] {
  return [new UrlPlatform(options.allowFiles)];
}
