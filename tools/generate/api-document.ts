import { createApp } from '../../apps/api/src/create-app.js';
import { createOpenApi } from '../../apps/api/src/http/openapi.js';
import { parseSettings } from '#libs/config/settings.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import { createLogger } from '#libs/observability/logger.js';

/** The OpenAPI document, of the routes alone: nothing is connected to and nothing is started. */
export async function apiDocument(): Promise<ReturnType<typeof createOpenApi>> {
  const settings = parseSettings(apiSettings, { DATABASE_URL: 'postgres://nowhere.invalid/none', LOG_LEVEL: 'error' });
  const app = await createApp(settings, createLogger('generate', settings.LOG_LEVEL), { preview: true });
  return createOpenApi(app);
}
