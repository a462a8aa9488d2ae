import { z } from 'zod';
import { Severity } from '#libs/contracts/primitives.js';
import { integer, secret, setting } from './settings.js';

/** Settings that both apps read. */
export const sharedSettings = {
  NODE_ENV: setting(
    z.enum(['development', 'production', 'test']).default('development'),
    'In production the documentation is for admins only.',
  ),
  LOG_LEVEL: setting(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'Lowest level that is logged.',
  ),
  REDIS_URL: secret(
    z.url({ protocol: /^rediss?$/ }).default('redis://127.0.0.1:6379'),
    'Redis 6.2 or newer. `npm start` brings its own when this is unset.',
  ),
  METRICS_TOKEN: secret(
    z
      .string()
      .regex(/^\S{16,}$/, 'must be at least 16 characters without spaces')
      .optional(),
    'Bearer token with which Prometheus reads `/metrics`. The api gives the figures to admins, too; a monitor in production to nobody else.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'Collector of OpenTelemetry traces, OTLP over HTTP, e.g. `http://127.0.0.1:4318`; nothing is traced when unset.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: secret(
    z
      .string()
      .regex(/^[\w-]+=[^,\s]*( ?, ?[\w-]+=[^,\s]*)*$/, 'must be `name=value`, separated by commas')
      .optional(),
    'Headers that the collector wants: `name=value`, separated by commas.',
  ),
  EVIDENCE_URL: setting(
    z.url({ protocol: /^file$/ }).default('file:///var/lib/vigil/evidence'),
    'Where evidence images are kept: `file:///directory`. Both apps must see the same store.',
  ),
};

/** Settings of the api app. */
export const apiSettings = {
  ...sharedSettings,
  DATABASE_URL: secret(
    z.url({ protocol: /^postgres(ql)?$/ }),
    'PostgreSQL 14 or newer. `npm start` brings its own when this is unset.',
  ),
  MAIN_APP_HOST: setting(z.string().default('127.0.0.1'), 'Address the api listens on; `0.0.0.0` for all.'),
  MAIN_APP_PORT: setting(integer(0, 65535).default(3000), 'Port the api listens on.'),
  JWT_SECRET: secret(
    z.string().min(32).optional(),
    'Key that signs access tokens, at least 32 characters; one is made and kept in the database when unset.',
  ),
  CORS_ORIGINS: setting(
    z.string().default(''),
    'Origins of browser front ends that may call the api, separated by commas.',
  ),
  COOKIE_AUTH: setting(
    z.stringbool().default(false),
    'Whether browsers may stay signed in by `__Host-` cookies (https or localhost); bearer tokens work either way.',
  ),
  REGISTRATION: setting(
    z.enum(['closed', 'invitation', 'open']).default('invitation'),
    'Who may register as an agent: nobody, whoever an admin invited, or everybody.',
  ),
  SMTP_URL: secret(
    z.url({ protocol: /^smtps?$/ }).optional(),
    'Mail server, e.g. `smtps://user:password@mail.example.com`; no mail is sent when unset.',
  ),
  MAIL_FROM: setting(z.string().max(320).default('Vigil <vigil@localhost>'), 'Sender of mails.'),
  TELEGRAM_BOT_TOKEN: secret(
    z
      .string()
      .regex(/^\d+:[\w-]{20,100}$/)
      .optional(),
    'Token of the Telegram bot that notifies, from @BotFather; nothing is sent over Telegram when unset.',
  ),
  TELEGRAM_API_URL: setting(
    z.url({ protocol: /^https?$/ }).default('https://api.telegram.org'),
    'Where the Telegram Bot API answers; a server of your own, or the default.',
  ),
  SECRETS_KEY: secret(
    z.string().min(32).optional(),
    'Key that seals secrets of webhooks in the database, at least 32 characters; derived from JWT_SECRET when unset.',
  ),
  PUBLIC_URL: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'Address under which people reach the front end, for links in notifications; no links when unset.',
  ),
  WEBHOOK_ALLOW: setting(
    z.string().default(''),
    'Private addresses that webhooks may use all the same, as `host:port` separated by commas.',
  ),
  WEBHOOK_DISABLE_AFTER_MS: setting(
    integer(1_000, 2_592_000_000).default(259_200_000),
    'A webhook that has failed for so long is disabled, and its owner is told, in ms.',
  ),
  NOTIFY_ADMINS_FROM: setting(
    Severity.default('info'),
    'Lowest severity of detections that every admin is notified of.',
  ),
  NOTIFY_IN_APP_MS: setting(
    integer(0, 3_600_000).default(10_000),
    'Hits of one rule on one stream within so long are one notification in the app, with a count, in ms.',
  ),
  NOTIFY_GROUP_WAIT_MS: setting(
    integer(0, 600_000).default(2_000),
    'How long e-mails and the like wait for further hits of a group before they are sent, in ms.',
  ),
  NOTIFY_GROUP_INTERVAL_MS: setting(
    integer(1_000, 86_400_000).default(300_000),
    'Hits of one rule on one stream within so long are one e-mail (or the like) for each recipient, in ms.',
  ),
  ESCALATE_CRITICAL_MS: setting(
    integer(0, 86_400_000).default(120_000),
    'Time in which somebody must acknowledge a critical alert before others are told, in ms; 0 for never.',
  ),
  ESCALATE_HIGH_MS: setting(
    integer(0, 86_400_000).default(600_000),
    'The same for an alert of high severity, in ms; 0 for never.',
  ),
  DELIVERY_SEND_TIMEOUT_MS: setting(
    integer(500, 120_000).default(20_000),
    'How long one attempt to send a notification may take, in ms.',
  ),
  DELIVERY_RETRY_SCALE: setting(
    z.coerce.number().min(0.000_01).max(1).default(1),
    'Factor on the pauses between attempts (5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 6 h); less than 1 for tests.',
  ),
  DELIVERY_AUDIT_MS: setting(
    integer(100, 3_600_000).default(300_000),
    'How often deliveries are looked for that are due and that nobody sends, in ms.',
  ),
  DELIVERY_EDIT_MS: setting(
    integer(0, 3_600_000).default(10_000),
    'A message that counts the hits of an alert (Telegram) is brought up to date this often at most, in ms.',
  ),
  ESCALATION_CHECK_MS: setting(
    integer(100, 600_000).default(2_000),
    'How often alerts are looked for that nobody acknowledged in time, in ms.',
  ),
  RETENTION_INTERVAL_MS: setting(
    integer(0, 604_800_000).default(3_600_000),
    'How often what is old is removed, in ms; 0 for never.',
  ),
  RETENTION_DETECTIONS_DAYS: setting(
    integer(0, 36_500).default(90),
    'Days that detections and their evidence are kept, counted from when they were stored; 0 for ever. Those marked `keep` always stay.',
  ),
  RETENTION_REVIEWED_DAYS: setting(
    integer(0, 36_500).default(365),
    'The same for detections that somebody gave a verdict.',
  ),
  RETENTION_EVIDENCE_MAX_MB: setting(
    integer(0, 1_000_000_000).default(0),
    'Most room that evidence may take, in MB; beyond it the oldest detections go with theirs, judged ones last. 0 for any.',
  ),
  RETENTION_TRANSCRIPTS_DAYS: setting(
    integer(0, 36_500).default(90),
    'Days that transcripts are kept, 0 for ever; those that a kept detection quotes always stay.',
  ),
  RETENTION_NOTIFICATIONS_DAYS: setting(
    integer(0, 36_500).default(90),
    'Days that notifications, their alerts and deliveries are kept; 0 for ever.',
  ),
  RETENTION_MESSAGES_DAYS: setting(
    integer(0, 36_500).default(0),
    'Days that messages between users are kept; 0 for ever.',
  ),
  RETENTION_AUDIT_DAYS: setting(
    integer(0, 36_500)
      .refine((days) => days === 0 || days >= 30, 'must be 0 or at least 30')
      .default(0),
    'Days that the audit trail is kept, at least 30; 0 for ever.',
  ),
  RETENTION_DEAD_FACTS_DAYS: setting(
    integer(0, 36_500).default(30),
    'Days that facts are kept that could not be stored; 0 for ever.',
  ),
  SSL_CERT_PATH: setting(
    z.string().optional(),
    'File of the certificate and its chain, PEM; with SSL_KEY_PATH the api speaks https. A renewed one is taken up while it runs.',
  ),
  SSL_KEY_PATH: setting(z.string().optional(), 'File of its private key, PEM.'),
  SSL_REDIRECT_PORT: setting(
    integer(0, 65535).optional(),
    'Port on which plain http is answered by a redirect to https; none when unset.',
  ),
  HTTPS_ONLY: setting(
    z.stringbool().default(false),
    'Behind a proxy that ends TLS: requests that reached it over plain http are redirected to https, health checks excepted.',
  ),
  TRUST_PROXY: setting(
    z.string().default(''),
    'Addresses of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, separated by commas, e.g. `loopback`.',
  ),
  DEFAULT_ADMIN_USERNAME: setting(z.string().default('admin'), 'Name of the first admin, made when there is no admin.'),
  DEFAULT_ADMIN_EMAIL: setting(z.email().default('admin@vigil.invalid'), 'E-mail address of the first admin.'),
  DEFAULT_ADMIN_PASSWORD: secret(
    z.string().min(10).optional(),
    'Password of the first admin; when unset a one-time one is printed once, to be changed at the first sign-in.',
  ),
  KICK_PUBLIC_KEY_URL: setting(
    z.url({ protocol: /^https?$/ }).default('https://api.kick.com/public/v1/public-key'),
    'Where the key that signs webhooks of Kick is fetched from.',
  ),
  RECONCILE_INTERVAL_MS: setting(
    integer(200, 60_000).default(5_000),
    'How often desired captures are compared with the ones that run, in ms.',
  ),
  BLIND_AFTER_MS: setting(
    integer(0, 86_400_000).default(60_000),
    'A part of a stream that is not watched for longer than this is told of, in ms; 0 for never. At least twice what monitors have as COVERAGE_REPORT_MS.',
  ),
  BLIND_PARTS: setting(
    z
      .string()
      .regex(/^(video|audio|speech|chat)(, ?(video|audio|speech|chat))*$/)
      .default('video,audio'),
    'Parts whose blind time is told of, separated by commas: `video`, `audio`, `speech`, `chat`.',
  ),
  COVERAGE_CHECK_MS: setting(
    integer(100, 60_000).default(5_000),
    'How often it is looked for what is not watched, in ms; sums for charts are brought up to date every twelfth time.',
  ),
  CANARY_GRACE_MS: setting(
    integer(1_000, 3_600_000).default(120_000),
    "How late a run of a monitor's canary may be, and how long a delivery channel may fail its probes, before admins are told, in ms.",
  ),
  CANARY_PROBE_MS: setting(
    integer(0, 86_400_000).default(600_000),
    'How often the mail server and the Telegram bot are asked whether they would take a message, in ms; 0 for never.',
  ),
  RETENTION_CANARY_DAYS: setting(
    integer(0, 36_500).default(14),
    'Days that runs of canaries and probes of channels are kept; 0 for ever.',
  ),
};

/** Settings of the monitor app. */
export const monitorSettings = {
  ...sharedSettings,
  MONITOR_ID: setting(
    z
      .string()
      .max(64)
      .regex(/^[\w.-]+$/)
      .optional(),
    'Name of this monitor, unique among all; host name and process id when unset.',
  ),
  MONITOR_HOST: setting(z.string().default('127.0.0.1'), 'Address the monitor answers health checks on.'),
  MONITOR_PORT: setting(integer(0, 65535).default(3001), 'Port the monitor answers health checks on.'),
  CAPTURE_CAPACITY: setting(
    integer(1, 500).default(500),
    'How many streams this monitor watches at most, whatever it measures; processor, memory and models set the limit below it.',
  ),
  CAPTURE_LOCK_MS: setting(
    integer(2_000, 120_000).default(10_000),
    'Lease of a capture in ms: how soon another monitor takes over when this one dies.',
  ),
  SAMPLE_INTERVAL_MS: setting(integer(100, 60_000).default(1_000), 'Time between two inspected frames, in ms.'),
  COVERAGE_REPORT_MS: setting(
    integer(1_000, 30_000).default(15_000),
    'How often it is told what a stream was watched of, in ms; what a monitor that is killed had not told is a gap.',
  ),
  CANARY_INTERVAL_MS: setting(
    integer(0, 86_400_000).default(600_000),
    'How often the monitor watches a stream of its own in which something is planted, to prove that it would be found, in ms; 0 for never.',
  ),
  INFERENCE_THREADS: setting(
    integer(1, 64).optional(),
    'Inference threads; when unset the number of cores, or of those that the container allows, less one.',
  ),
  INFERENCE_BUDGET: setting(
    z.coerce.number().min(0.1).max(10_000).optional(),
    'Frames that all streams of this monitor together may have inspected in a second; measured when unset.',
  ),
  FFMPEG_PATH: setting(z.string().optional(), 'The ffmpeg to use; the packaged one or the one on PATH when unset.'),
  MODELS_DIR: setting(z.string().default('models'), 'Directory of model weights.'),
  VIDEO_DETECTOR: setting(
    z.string().default('yolo'),
    'Which detector looks at the picture: an id of `apps/monitor/src/detectors/registry.ts`.',
  ),
  MODEL: setting(
    z.string().default('yolox-nano'),
    'Model from the manifest, or the path of your own `.onnx`; its labels are in a `.txt` of the same name, one a line.',
  ),
  MODEL_DOWNLOAD: setting(z.stringbool().default(true), 'Whether missing weights of the manifest may be downloaded.'),
  SPEECH_MODEL: setting(
    z.string().optional(),
    'Speech model from the manifest, or the path of a folder with one; the default of the manifest when unset. With SPEECH_SERVER_URL the name that the server knows it by.',
  ),
  SPEECH_LANGUAGE: setting(
    z.string().max(20).default(''),
    'Code of the language that is spoken, e.g. `en`; the model finds out when empty.',
  ),
  SPEECH_THREADS: setting(integer(1, 64).default(1), 'Threads of the speech model.'),
  SPEECH_SERVER_URL: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'OpenAI-compatible server that writes speech down, up to and without `/v1`, e.g. `http://gpu.internal:8000`; the model runs in the monitor when unset. Its host and port may be private.',
  ),
  SPEECH_SERVER_KEY: secret(z.string().optional(), 'Key for SPEECH_SERVER_URL.'),
  TWITCH_IRC_URL: setting(
    z.url({ protocol: /^wss?$/ }).default('wss://irc-ws.chat.twitch.tv:443'),
    'Where the chat of Twitch is read. Behind a relay of your own, that; a private address must be in EGRESS_ALLOW too.',
  ),
  SPOOL_DIR: setting(
    z.string().default('/var/lib/vigil/spool'),
    'Directory of facts that the api has not committed yet.',
  ),
  SPOOL_MAX_MB: setting(
    integer(1, 1_000_000).default(1_024),
    'Cap of the spool; the oldest records are shed beyond it, and counted.',
  ),
  SPOOL_CLEAR_ON: setting(
    z.enum(['commit', 'send']).default('commit'),
    'When a fact leaves the spool. `send` loses facts when Redis does; it exists to prove that in a test.',
  ),
  EGRESS_ALLOW: setting(
    z.string().default(''),
    'Private addresses that streams may use all the same, as `host:port` separated by commas, e.g. `127.0.0.1:8080`.',
  ),
  PROXIES_FILE: setting(
    z.string().optional(),
    'File of upstream proxies, one a line: `http://user:password@host:port`, `https://…`, `socks5://…`, or `host:port` ' +
      'for http; `#` starts a comment. `proxies.txt` of the working directory when unset and there.',
  ),
  PROXIES: secret(z.string().default(''), 'Further upstream proxies in the same form, separated by commas.'),
  PROXY_PLATFORMS: setting(
    z.string().default(''),
    'Platforms whose requests go through the upstream proxies, separated by commas, e.g. `twitch`; none when unset.',
  ),
  PROXY_CHECK_URL: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'Small page that upstream proxies are tried on about once a minute; only their use tells how they do when unset.',
  ),
  ALLOW_FILES: setting(z.stringbool().default(false), 'Whether `file:` urls may be watched, for tests.'),
};
