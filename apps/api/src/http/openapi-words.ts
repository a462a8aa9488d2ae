/** What a newcomer reads first; Markdown. Links would open a tab each, so the steps name where to go. */
export const INTRODUCTION = `Watches live streams for a team of human agents.

**First steps**, each by opening a part below and pressing _Execute_; the examples run as they stand.

1. **auth**: \`POST /api/auth/login\` with your user name and password. This page takes the access token from the
   answer, and renews it while it is open. A token from elsewhere goes under _Authorize_; other clients send
   it as \`Authorization: Bearer …\`. When the answer says \`"mustChangePassword": true\`, choose a password of your own
   next: \`POST /api/auth/change-password\`.
2. **objects**: \`POST /api/objects\` says what to look for in the picture (in the demo, a person is
   looked for already); **keywords** does for speech and chat.
3. **streams**: \`POST /api/streams\` adds a stream. Copy its \`id\` from the answer.
4. **monitoring**: \`POST /api/monitoring/stream/{id}/start\` has it watched. When nothing comes,
   \`GET /api/monitor/detection-status/{id}\` says what is missing.
5. **detections**: \`GET /api/detections\` lists what was found, \`GET /api/detections/{id}/image\` shows it.

What happens is told at once over [Socket.IO](/docs/events). Errors are problem+json (RFC 9457) with a stable \`code\`;
lists page by cursor. With \`COOKIE_AUTH\`, browsers may stay signed in by cookies: docs/authentication.md.`;

/** The parts of the api in the order in which a newcomer meets them. */
export const TAGS: Readonly<Record<string, string>> = {
  auth: 'Signing in, passwords, invitations',
  objects: 'What to look for in the picture',
  keywords: 'What to look for in speech and chat',
  streams: 'What is watched',
  monitoring: 'Starting, stopping, and how it goes',
  detections: 'What was found, with its evidence, and what people say of it',
  transcripts: 'What was said',
  notifications: 'What you are told, and how',
  agents: 'Who looks after streams',
  assignments: 'Who looks after which',
  dashboard: 'How things stand, and stood',
  messages: 'What users write to each other',
  me: 'Your profile',
  zones: 'Parts of a picture that count, or do not',
  signals: 'What is told without a rule: silence, noise, hostile chat',
  silences: 'When nobody shall be told',
  deliveries: 'E-mails and the like, and what became of them',
  webhooks: 'Alerts for your own programs',
  chat: 'Chat that is sent in',
  'service tokens': 'Keys of other programs',
  realtime: 'Socket.IO, for other programs',
  operations: 'Who did what',
  health: 'Whether it runs',
};
