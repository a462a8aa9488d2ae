/**
 * Rules of the linter `@redocly/openapi-core` on top of its recommended ones, all of which are errors here. Each that is
 * off says why.
 */
export const LINT_RULES: Readonly<Record<string, 'error' | 'off'>> = {
  // `/streams/jobs/{id}` stands beside `/streams/{id}/zones`: ids are UUIDs, and `jobs` is none.
  'no-ambiguous-paths': 'off',
  // Health takes nothing that could be wrong; every other operation is looked at by openapi-lint.ts.
  'operation-4xx-response': 'off',
  'no-invalid-media-type-examples': 'error',
};

/** Operations that anybody may call; every other one says which token it takes. */
export const PUBLIC_OPERATIONS: readonly string[] = [
  'checkEmail',
  'checkUsername',
  'forgotPassword',
  'getHealth',
  'getLiveness',
  'getReadiness',
  'login',
  'receiveKickWebhook',
  'register',
  'resetPassword',
  'verifyResetToken',
  'verifyToken',
];

/** Operations with an id in their path that never answer 404: what one may not see is an empty list there. */
export const NEVER_MISSING: readonly string[] = ['listStreamDetections', 'listStreamTranscripts'];
