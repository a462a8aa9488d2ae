import { Module, type DynamicModule } from '@nestjs/common';
import type { Logger } from '#libs/observability/logger.js';
import { AgentsModule } from './agents/agents.module.js';
import { AssignmentsModule } from './assignments/assignments.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { BusModule } from './bus/bus.module.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { ChatModule } from './chat/chat.module.js';
import { CanaryModule } from './canary/canary.module.js';
import { CoverageModule } from './coverage/coverage.module.js';
import { DatabaseModule } from './database/database.module.js';
import { DetectModule } from './detect/detect.module.js';
import { DetectionsModule } from './detections/detections.module.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { MessagingModule } from './messaging/messaging.module.js';
import { MeModule } from './me/me.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { MonitoringModule } from './monitoring/monitoring.module.js';
import { NotificationsModule } from './notifications/notifications.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';
import { RetentionModule } from './retention/retention.module.js';
import { ReviewsModule } from './reviews/reviews.module.js';
import { RulesModule } from './rules/rules.module.js';
import { RuntimeModule, type ApiSettings } from './runtime.module.js';
import { ServiceTokensModule } from './service-tokens/service-tokens.module.js';
import { StreamsModule } from './streams/streams.module.js';
import { TelegramModule } from './telegram/telegram.module.js';
import { TranscriptsModule } from './transcripts/transcripts.module.js';
import { UsersModule } from './users/users.module.js';

/** The list of rooms. */
@Module({})
export class AppModule {
  static with(settings: ApiSettings, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RuntimeModule.with(settings, logger),
        DatabaseModule,
        EventsModule,
        BusModule,
        HttpModule,
        AuditModule,
        MetricsModule,
        HealthModule,
        AuthModule,
        UsersModule,
        MeModule,
        AgentsModule,
        StreamsModule,
        AssignmentsModule,
        RulesModule,
        MonitoringModule,
        NotificationsModule,
        MessagingModule,
        RealtimeModule,
        CanaryModule,
        CoverageModule,
        DetectModule,
        DetectionsModule,
        ReviewsModule,
        RetentionModule,
        DashboardModule,
        TranscriptsModule,
        ServiceTokensModule,
        ChatModule,
        TelegramModule,
      ],
    };
  }
}
