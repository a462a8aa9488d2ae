import { AssignmentEntity } from '../assignments/assignment.entity.js';
import { AttachmentEntity } from '../attachments/attachment.entity.js';
import { AuditEntryEntity } from '../audit/audit-entry.entity.js';
import { AppSecretEntity } from '../auth/app-secret.entity.js';
import { RefreshTokenEntity } from '../auth/refresh-token.entity.js';
import { SessionEntity } from '../auth/session.entity.js';
import { DetectionEntity } from '../detections/detection.entity.js';
import { MessageEntity } from '../messaging/message.entity.js';
import { NotificationEntity } from '../notifications/notification.entity.js';
import { ObjectRuleEntity } from '../rules/object-rule.entity.js';
import { StreamJobEntity } from '../streams/jobs/stream-job.entity.js';
import { StreamEntity } from '../streams/stream.entity.js';
import { VerdictEntity } from '../reviews/verdict.entity.js';
import { UserEntity } from '../users/user.entity.js';

/** Every entity; one that is not listed here does not exist. */
export const entities = [
  AppSecretEntity,
  AssignmentEntity,
  AttachmentEntity,
  AuditEntryEntity,
  DetectionEntity,
  MessageEntity,
  NotificationEntity,
  ObjectRuleEntity,
  RefreshTokenEntity,
  SessionEntity,
  StreamEntity,
  StreamJobEntity,
  UserEntity,
  VerdictEntity,
];
