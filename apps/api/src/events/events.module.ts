import { Global, Module } from '@nestjs/common';
import { AppEvents } from './app-events.js';

/** The in-process event bus, for every room. */
@Global()
@Module({ providers: [AppEvents], exports: [AppEvents] })
export class EventsModule {}
