import { Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { MonitoringService } from '../monitoring/monitoring.service.js';
import { keyboardButton, type Button, type KeyboardButton } from '../notifications/channels/telegram/buttons.js';
import { cut, plain } from '../notifications/notification-texts.js';
import { NotificationsService } from '../notifications/notifications.service.js';
import { ReviewsService } from '../reviews/reviews.service.js';
import type { Stream } from '../streams/streams.dto.js';
import { StreamsService } from '../streams/streams.service.js';

/** What the bot says. Plain text: nothing in it is taken for markup. */
export interface BotReply {
  text: string;
  buttons?: KeyboardButton[][];
}

/** Streams and notifications that one answer lists at most. */
const [MOST_STREAMS, MOST_NOTIFICATIONS] = [20, 5];
/** Longest name in an answer, and longest text on a button, UTF-16 units. */
const [LONGEST_NAME, LONGEST_BUTTON] = [80, 40];

const VERDICTS = { true: 'right', false: 'wrong', unsure: 'unsure' } as const;

/** What users ask of the bot: the same services that REST asks, so with the same rights and the same trail. */
@Injectable()
export class BotCommands {
  constructor(
    private readonly streamsService: StreamsService,
    private readonly monitoring: MonitoringService,
    private readonly notificationsService: NotificationsService,
    private readonly reviews: ReviewsService,
  ) {}

  /** The streams that the user may see. @param search part of a name; all when empty. */
  async streams(user: AuthenticatedUser, search: string): Promise<BotReply> {
    const rows = await this.streamsService.search(user, search, MOST_STREAMS + 1);
    if (rows.length === 0) return { text: nothing(search) };
    const lines = rows.slice(0, MOST_STREAMS).map(lineOf);
    const more = rows.length > MOST_STREAMS ? '\n… and more: /streams and part of a name finds them.' : '';
    return { text: lines.join('\n') + more };
  }

  /** Starts or stops the watching of a stream; asks which one unless it is named in full. */
  async monitor(user: AuthenticatedUser, search: string, on: boolean): Promise<BotReply> {
    const rows = await this.streamsService.search(user, search, MOST_STREAMS);
    const [named, ...others] = rows.filter(({ name }) => name.toLowerCase() === search.toLowerCase());
    if (named !== undefined && others.length === 0) return { text: await this.set(user, named.id, on) };
    const choices = rows.filter(({ monitored }) => monitored !== on);
    if (rows.length === 0) return { text: nothing(search) };
    if (choices.length === 0) return { text: on ? 'All of them are watched.' : 'None of them is watched.' };
    return {
      text: on ? 'Which one is to be watched?' : 'Which one is to be watched no longer?',
      buttons: choices.map(({ id, name }) => [
        keyboardButton(cut(plain(name), LONGEST_BUTTON), { act: 'monitor', on, streamId: id }),
      ]),
    };
  }

  /** How the watching goes: of all, or of a stream that is named in full. */
  async status(user: AuthenticatedUser, name: string): Promise<BotReply> {
    if (name === '') {
      const { status, monitors, capacity, desired, active, detail } = await this.monitoring.health();
      const { notifications } = await this.notificationsService.countUnread(user.id);
      const figures = `${String(active)} of ${String(desired)} streams watched, by ${String(monitors)} monitors with room for ${String(capacity)}`;
      return { text: `${status}: ${figures}. ${detail}\nNot read yet: ${String(notifications)}.` };
    }
    const rows = await this.streamsService.search(user, name, MOST_STREAMS);
    const row = rows.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (row === undefined) return rows.length === 0 ? { text: nothing(name) } : { text: rows.map(lineOf).join('\n') };
    const { monitorId, detectors } = await this.monitoring.status(user, row.id);
    const parts = detectors.map(({ title, state }) => `${title}: ${state}`);
    return { text: [lineOf(row), monitorId === null ? 'No monitor has it.' : `On ${monitorId}.`, ...parts].join('\n') };
  }

  /** The user's newest notifications, with buttons for what nobody has taken on. */
  async notifications(user: AuthenticatedUser): Promise<BotReply> {
    const { items } = await this.notificationsService.list(user.id, { limit: MOST_NOTIFICATIONS });
    if (items.length === 0) return { text: 'There are none.' };
    const lines = items.map(({ severity, title, count, createdAt, acknowledgedAt }, index) => {
      const times = count > 1 ? ` (${String(count)} times)` : '';
      const taken = acknowledgedAt === null ? '' : ', taken on';
      return `${String(index + 1)}. [${severity}] ${plain(title)}${times}\n${createdAt}${taken}`;
    });
    const open = items.map((item, index) => ({ item, index })).filter(({ item }) => item.acknowledgedAt === null);
    const buttons = open.map(({ item, index }) =>
      keyboardButton(`Acknowledge ${String(index + 1)}`, { act: 'acknowledge', notificationId: item.id }),
    );
    return { text: lines.join('\n'), buttons: buttons.map((button) => [button]) };
  }

  /** Does what a button is for. @returns a sentence. @throws AppError when the user may not. */
  async press(user: AuthenticatedUser, button: Button): Promise<string> {
    switch (button.act) {
      case 'acknowledge':
        await this.notificationsService.acknowledge(user.id, button.notificationId);
        return 'You have taken it on.';
      case 'verdict':
        await this.reviews.give(user, button.detectionId, { verdict: button.verdict, note: '' });
        return `Your verdict: ${VERDICTS[button.verdict]}.`;
      case 'monitor':
        return this.set(user, button.streamId, button.on);
    }
  }

  private async set(user: AuthenticatedUser, streamId: string, on: boolean): Promise<string> {
    const { note } = await (on ? this.monitoring.start(user, streamId) : this.monitoring.stop(user, streamId));
    const { name } = await this.streamsService.get(user, streamId);
    const done = `${cut(plain(name), LONGEST_NAME)} ${on ? 'is to be watched' : 'is watched no longer'}.`;
    return note === null ? done : `${done} ${note}`;
  }
}

/** What to tell a user of a failure: its own sentence where the user can do something about it. */
export function excuseFor(error: unknown): string {
  return error instanceof AppError && error.kind !== 'unexpected'
    ? error.message
    : 'Something went wrong on our side: try again.';
}

function nothing(search: string): string {
  return search === ''
    ? 'There is no stream that you look after.'
    : 'There is no such stream among yours: see /streams.';
}

function lineOf({ name, status, monitored }: Stream): string {
  const { status: state, detail } = status;
  const said = detail === '' ? '' : `: ${cut(plain(detail), LONGEST_NAME)}`;
  return `${cut(plain(name), LONGEST_NAME)}: ${monitored ? 'watched' : 'not watched'}, ${state}${said}`;
}
