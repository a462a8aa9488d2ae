import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { list } from '#libs/config/settings.js';
import type { CaptureJob, KeywordRule, ObjectRule } from '#libs/contracts/captures.js';
import { Modality } from '#libs/contracts/primitives.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { PHRASE_LIMITS, PhraseRule } from '#libs/phrases/phrase-rule.js';

export const USAGE = `usage: npm run --silent try:stream -- <url|file> [options]
  --platform id                  who resolves the address (default: the site it belongs to, else url)
  --parts video,audio,chat       what is watched (default video)
  --objects person:0.5,dog:0.5   what to look for in the picture, each with its threshold (default person:0.5)
  --keywords rules.json          what to look for in speech and chat, as for try:phrases
  --chat platform:channel        where the chat is read (default: what the address tells)
  --twitch-irc url               where the chat of Twitch is read (default: TWITCH_IRC_URL)
  --model name|path              model from the manifest, or your own .onnx (default: MODEL)
  --seconds N                    stop after N seconds of stream time
Prints one JSON line per finding. Of the picture, once it is over:
  {"kind":"video","detector","label","confidence","startedAt","endedAt","box","frames"}
Of sound and chat, a word at once and a signal once it is over:
  {"kind":"audio"|"chat","detector","label","confidence","startedAt","endedAt","text","detail"}
Times are seconds of stream time. A file is read at full speed. EGRESS_ALLOW lets private addresses through.`;

/** What was asked for on the command line. */
export interface Request {
  url: string;
  /** Id of the platform; unset to tell by the address. */
  platform: string | undefined;
  parts: CaptureJob['parts'];
  objects: ObjectRule[];
  keywords: KeywordRule[];
  chat: CaptureJob['chat'];
  twitchIrc: string | undefined;
  model: string | undefined;
  seconds: number;
}

const usage = (sentence: string): AppError => new AppError('usage', 'user', sentence);

/** @throws AppError `usage` with a sentence for a person; TypeError for an option that there is not */
export function parseRequest(argv: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      platform: { type: 'string' },
      parts: { type: 'string', default: 'video' },
      objects: { type: 'string', default: 'person:0.5' },
      keywords: { type: 'string' },
      chat: { type: 'string' },
      'twitch-irc': { type: 'string' },
      model: { type: 'string' },
      seconds: { type: 'string' },
    },
  });
  const [source, ...others] = positionals;
  if (source === undefined || others.length > 0) throw usage('Name one url or file.');
  const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
  if (!(seconds > 0)) throw usage(`--seconds ${values.seconds} is not a positive number.`);
  const parts = z.array(Modality).min(1).max(3).safeParse(list.parse(values.parts));
  if (!parts.success) throw usage(`--parts ${values.parts} is not some of video, audio and chat.`);
  const { platform, model, 'twitch-irc': twitchIrc } = values;
  const asItIs = /^[a-z][a-z0-9+.-]+:/i.test(source) || (platform !== undefined && platform !== 'url');
  return {
    ...{ url: asItIs ? source : fileUrl(source), platform, model, twitchIrc, seconds },
    parts: [...new Set(parts.data)],
    objects: list.parse(values.objects).map(objectOf),
    keywords: values.keywords === undefined ? [] : keywordsIn(values.keywords),
    chat: values.chat === undefined ? null : channelOf(values.chat),
  };
}

function fileUrl(path: string): string {
  if (!existsSync(path)) throw usage(`There is no file ${path}.`);
  return pathToFileURL(resolve(path)).href;
}

function objectOf(text: string): ObjectRule {
  const [label = '', threshold = '0.5'] = text.split(':');
  const value = Number(threshold);
  if (label === '' || !(value > 0 && value <= 1)) {
    throw usage(`--objects: "${text}" is not label:threshold with a threshold up to 1.`);
  }
  return { id: randomUUID(), version: 1, label, threshold: value, severity: 'medium', cooldownMs: 0 };
}

function channelOf(text: string): CaptureJob['chat'] {
  const [, platform, channel] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (platform === undefined || channel === undefined) throw usage(`--chat ${text} is not platform:channel.`);
  return { platform, channel, options: {} };
}

/** Rules in the form of `try:phrases`; the id is what a finding is labelled with. */
function keywordsIn(path: string): KeywordRule[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw usage(`The rules in ${path} cannot be read: ${messageOf(error)}.`);
  }
  const rules = z.array(PhraseRule).max(PHRASE_LIMITS.rules).safeParse(content);
  if (!rules.success) {
    const [issue] = rules.error.issues;
    const place = issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.join('.');
    throw usage(`The rules in ${path} are not as they should be: ${place}: ${issue?.message ?? 'unknown fault'}.`);
  }
  return rules.data.map(({ id, version, ...rule }) => ({
    ...{ ...rule, id: randomUUID(), version: Math.max(1, version), label: id },
    ...{ appliesTo: 'both', language: null, severity: 'medium', cooldownMs: 0 },
  }));
}
