import { AssignmentEntity } from '../assignments/assignment.entity.js';
import { AppSecretEntity } from '../auth/app-secret.entity.js';
import { PasswordResetEntity } from '../auth/recovery/password-reset.entity.js';
import { RefreshTokenEntity } from '../auth/refresh-token.entity.js';
import { InvitationEntity } from '../auth/registration/invitation.entity.js';
import { SessionEntity } from '../auth/session.entity.js';
import { DetectionEntity } from '../detections/detection.entity.js';
import { IdempotencyKeyEntity } from '../http/idempotency-key.entity.js';
import { NotificationEntity } from '../notifications/notification.entity.js';
import { ObjectRuleEntity } from '../rules/object-rule.entity.js';
import { StreamEntity } from '../streams/stream.entity.js';
import { UserEntity } from '../users/user.entity.js';

/** Every entity; one that is not listed here does not exist. */
export const entities = [
  AppSecretEntity,
  AssignmentEntity,
  DetectionEntity,
  IdempotencyKeyEntity,
  InvitationEntity,
  NotificationEntity,
  ObjectRuleEntity,
  PasswordResetEntity,
  RefreshTokenEntity,
  SessionEntity,
  StreamEntity,
  UserEntity,
];
