import { Module } from '@nestjs/common';
import { StreamsModule } from '../streams/streams.module.js';
import { KeywordTester } from './keywords/keyword-tester.js';
import { KeywordsController } from './keywords/keywords.controller.js';
import { KeywordsRepository } from './keywords/keywords.repository.js';
import { KeywordsService } from './keywords/keywords.service.js';
import { StoredPhrases } from './keywords/stored-phrases.js';
import { ObjectsController } from './objects/objects.controller.js';
import { ObjectsRepository } from './objects/objects.repository.js';
import { ObjectsService } from './objects/objects.service.js';
import { RulePublisher } from './rule-publisher.js';
import { RuleSetRepository } from './rule-set.repository.js';
import { SignalsController } from './signals/signals.controller.js';
import { SignalsRepository } from './signals/signals.repository.js';
import { SignalsService } from './signals/signals.service.js';
import { ZonesController } from './zones/zones.controller.js';
import { ZonesRepository } from './zones/zones.repository.js';
import { ZonesService } from './zones/zones.service.js';

/** What is looked and listened for, and its way to the monitors. */
@Module({
  imports: [StreamsModule],
  controllers: [ObjectsController, KeywordsController, ZonesController, SignalsController],
  providers: [
    RuleSetRepository,
    RulePublisher,
    ObjectsRepository,
    ObjectsService,
    KeywordsRepository,
    KeywordsService,
    StoredPhrases,
    KeywordTester,
    ZonesRepository,
    ZonesService,
    SignalsRepository,
    SignalsService,
  ],
  exports: [RulePublisher, KeywordTester],
})
export class RulesModule {}
