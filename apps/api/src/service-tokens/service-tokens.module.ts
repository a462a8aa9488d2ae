import { Module } from '@nestjs/common';
import { ServiceTokensController } from './service-tokens.controller.js';
import { ServiceTokensRepository } from './service-tokens.repository.js';
import { ServiceTokensService } from './service-tokens.service.js';

/** Keys of other programs. */
@Module({
  controllers: [ServiceTokensController],
  providers: [ServiceTokensRepository, ServiceTokensService],
  exports: [ServiceTokensService],
})
export class ServiceTokensModule {}
