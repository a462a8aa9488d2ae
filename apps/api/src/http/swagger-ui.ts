import type { SwaggerCustomOptions } from '@nestjs/swagger';

/** An answer as Swagger UI hands it to its interceptor. */
interface UiAnswer {
  url: string;
  ok: boolean;
  obj?: { accessToken?: string; refreshToken?: string; expiresIn?: number };
}

/** The part of Swagger UI that the page calls. */
interface Ui {
  authActions: { authorizeWithPersistOption(schemes: Readonly<Record<string, object>>): void };
}

/**
 * Has the page take the token of a sign-in as if it had been pasted under _Authorize_, and renew it while the page is
 * open. Runs in the browser: nothing from outside of it can be used.
 */
function keepSignedIn(answer: UiAnswer): UiAnswer {
  const page = globalThis as unknown as { ui?: Ui; renewal?: ReturnType<typeof setTimeout> };
  const take = (value: string): void => {
    const schema = { type: 'http', scheme: 'bearer' };
    page.ui?.authActions.authorizeWithPersistOption({ bearer: { name: 'bearer', schema, value } });
  };
  const keep = ({ accessToken, refreshToken, expiresIn }: NonNullable<UiAnswer['obj']>): void => {
    if (accessToken === undefined) return;
    take(accessToken);
    clearTimeout(page.renewal);
    if (refreshToken === undefined || expiresIn === undefined) return;
    page.renewal = setTimeout(() => {
      const request = { method: 'POST', headers: { 'content-type': 'application/json' } };
      fetch('/api/auth/token-verify', { ...request, body: JSON.stringify({ refreshToken }) })
        .then((response) => (response.ok ? response.json() : {}))
        .then(keep, () => undefined);
    }, expiresIn * 800);
  };
  if (answer.ok && /\/api\/auth\/(login|token-verify)$/.test(answer.url)) keep(answer.obj ?? {});
  return answer;
}

/** How Swagger UI looks and behaves. */
export const SWAGGER_UI: SwaggerCustomOptions = {
  customSiteTitle: 'Vigil API',
  // Ids are long; the field must show all of one.
  customCss:
    '.swagger-ui .topbar { display: none } .swagger-ui .info { margin: 2rem 0 1rem } ' +
    '.swagger-ui .parameters input[type=text] { width: 24rem; max-width: 100% }',
  swaggerOptions: {
    ...{ persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true, deepLinking: true },
    ...{ docExpansion: 'none', defaultModelsExpandDepth: -1, filter: true },
    // Lists and single things first, what is done to them after.
    operationsSorter: (one: { get(key: 'path'): string }, other: { get(key: 'path'): string }) =>
      one.get('path').split('/').length - other.get('path').split('/').length,
    responseInterceptor: keepSignedIn,
  },
};
