import { AssignmentEntity } from '../assignments/assignment.entity.js';
import { AttachmentEntity } from '../attachments/attachment.entity.js';
import { AuditEntryEntity } from '../audit/audit-entry.entity.js';
import { AppSecretEntity } from '../auth/app-secret.entity.js';
import { PasswordResetEntity } from '../auth/recovery/password-reset.entity.js';
import { RefreshTokenEntity } from '../auth/refresh-token.entity.js';
import { InvitationEntity } from '../auth/registration/invitation.entity.js';
import { SessionEntity } from '../auth/session.entity.js';
import { DetectionEntity } from '../detections/detection.entity.js';
import { MessageEntity } from '../messaging/message.entity.js';
import { IdempotencyKeyEntity } from '../http/idempotency-key.entity.js';
import { NotificationEntity } from '../notifications/notification.entity.js';
import { StreamJobEntity } from '../streams/jobs/stream-job.entity.js';
import { VerdictEntity } from '../reviews/verdict.entity.js';
import { KeywordRuleEntity } from '../rules/keywords/keyword-rule.entity.js';
import { ObjectRuleEntity } from '../rules/objects/object-rule.entity.js';
import { SignalRuleEntity } from '../rules/signals/signal-rule.entity.js';
import { ZoneEntity } from '../rules/zones/zone.entity.js';
import { ServiceTokenEntity } from '../service-tokens/service-token.entity.js';
import { StreamEntity } from '../streams/stream.entity.js';
import { TranscriptEntity } from '../transcripts/transcript.entity.js';
import { UserEntity } from '../users/user.entity.js';

/** Every entity; one that is not listed here does not exist. */
export const entities = [
  AppSecretEntity,
  AssignmentEntity,
  AttachmentEntity,
  AuditEntryEntity,
  DetectionEntity,
  MessageEntity,
  IdempotencyKeyEntity,
  InvitationEntity,
  NotificationEntity,
  KeywordRuleEntity,
  ObjectRuleEntity,
  SignalRuleEntity,
  ZoneEntity,
  PasswordResetEntity,
  RefreshTokenEntity,
  ServiceTokenEntity,
  SessionEntity,
  StreamEntity,
  StreamJobEntity,
  TranscriptEntity,
  UserEntity,
  VerdictEntity,
];
