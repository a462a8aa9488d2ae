import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { messageOf } from '#libs/errors/app-error.js';
import { compile } from '#libs/phrases/compile.js';
import type { PhraseIndex } from '#libs/phrases/phrase-index.js';
import { PHRASE_LIMITS, PhraseRule } from '#libs/phrases/phrase-rule.js';

const usage = `Usage: npm run --silent try:phrases -- --rules rules.json [--speech] < lines

Says what the rules find in each line of the standard input, one JSON line each:
  {"text","hits":[{"rule","start","end","view","confidence"}]}
Offsets are UTF-16 units of the line. The rules are an array:
  [{"id","pattern","allow":[],"kind":"literal"|"regex","fuzzy":false,"phonetic":false}]

  --rules   file of the rules
  --speech  the lines were spoken: likeness is looked for, evasive spellings are not
  --help    this text
`;

/** A fault that one sentence explains. */
class Fault extends Error {}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rules: { type: 'string' },
        speech: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    if (values.rules === undefined) throw new Fault('Name the file of the rules with --rules.');
    await answerLines(loadIndex(values.rules), values.speech);
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${error instanceof TypeError ? `\n${usage}` : ''}`);
    return 2;
  }
}

function loadIndex(path: string): PhraseIndex {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Fault(`The rules in ${path} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
  const rules = z.array(PhraseRule).max(PHRASE_LIMITS.rules).safeParse(content);
  if (rules.success) return compile(rules.data);
  const [issue] = rules.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.join('.');
  throw new Fault(`The rules in ${path} are not as they should be: ${place}: ${issue?.message ?? 'unknown fault'}.`);
}

async function answerLines(index: PhraseIndex, speech: boolean): Promise<void> {
  let readerGone = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    readerGone = true;
  });
  for await (const text of lines(process.stdin)) {
    if (readerGone) return;
    const hits = index
      .match(text, { speech })
      .map(({ rule, start, end, view, confidence }) => ({ rule, start, end, view, confidence }));
    if (process.stdout.write(`${JSON.stringify({ text, hits })}\n`) || readerGone) continue;
    await new Promise<void>((resolve) => {
      process.stdout.once('drain', resolve).once('error', () => resolve());
    });
  }
}

/** Lines that end in a line feed alone: other separators may be part of what is tested. A longer line is broken up. */
async function* lines(input: NodeJS.ReadStream): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of input.setEncoding('utf8')) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > PHRASE_LIMITS.text) {
      parts.push(rest);
      rest = '';
    }
    for (const part of parts) yield part.endsWith('\r') ? part.slice(0, -1) : part;
  }
  if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest;
}
