import { Module } from '@nestjs/common';
import { RulesModule } from '../rules/rules.module.js';
import { DetectController } from './detect.controller.js';
import { PictureInspector } from './picture-inspector.js';

/** Looking at one thing on demand. */
@Module({ imports: [RulesModule], controllers: [DetectController], providers: [PictureInspector] })
export class DetectModule {}
