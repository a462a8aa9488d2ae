import { AppError } from '#libs/errors/app-error.js';
import type { Playback } from '../platforms/platform.port.js';
import type { FrameFormat } from './frame.js';

/** Everything that decides how ffmpeg is called. */
export interface CapturePlan {
  playback: Playback;
  format: FrameFormat;
  /** Wished distance of two delivered frames in stream time, ms. */
  sampleIntervalMs: number;
  /** `keyframes` decodes nothing else; `full` decodes every picture, for sources with rare keyframes. */
  decode: 'keyframes' | 'full';
  /** `http://host:port` of the egress lane; null only for inputs that do not use http. */
  proxyUrl: string | null;
  /** Longest silence of one read of the input, ms. */
  readTimeoutMs: number;
  /** Largest picture that is decoded at all, in pixels. */
  maxPixels: number;
  /** Width above which the evidence picture is scaled down. */
  maxEvidenceWidth: number;
  /** Names the filter that reports each frame; unguessable, so that a stream cannot forge reports through its metadata. */
  reportTag: string;
  /** Whether sound is delivered too, on an output of its own after the pictures; none when not given. */
  sound?: boolean;
}

/** One output of the run: where it goes is its place in the list (the first is `pipe:3`). */
export interface CaptureOutput {
  /** Label of the filter graph, or a stream specifier such as `0:a:0`. */
  map: string;
  /** Mapped as well, for an output that would be empty, and so an error, when `map` finds nothing. */
  standIn?: string;
  /** Piece of the filter graph that feeds the label; null when the input is mapped as it is. */
  filter: string | null;
  options: readonly string[];
  muxer: string;
}

/** File descriptor of the first output in the child; 0 to 2 are the standard ones. */
export const FIRST_OUTPUT_FD = 3;

/** 4096 x 2304, the largest picture of H.264 level 5.1; a bigger one is a broken or hostile stream. */
export const DEFAULT_MAX_PIXELS = 4096 * 2304;

const PROTOCOLS: Readonly<Record<string, string>> = {
  'http:': 'http,https,tcp,tls,crypto,httpproxy',
  'https:': 'http,https,tcp,tls,crypto,httpproxy',
  'rtmp:': 'rtmp,tcp',
  'rtmps:': 'rtmps,tls,tcp',
  'rtsp:': 'rtsp,tcp',
  'rtsps:': 'rtsps,rtsp,tcp,tls',
  'srt:': 'srt,udp',
};

/**
 * The complete argument list of one run.
 * @throws AppError `capture.bad_input` when the url or a header cannot be handed to ffmpeg safely.
 */
export function ffmpegArguments(plan: CapturePlan): string[] {
  const outputs = [
    ...[modelOutput(plan.format), evidenceOutput(plan.maxEvidenceWidth)],
    ...(plan.sound === true ? [soundOutput(plan.reportTag)] : []),
  ];
  const labels = outputs.filter(({ filter }) => filter !== null).map((_, index) => `[branch${index}]`);
  const graph = [
    `[0:V:0]${sampling(plan)},split=${labels.length}${labels.join('')}`,
    ...outputs
      .filter(({ filter }) => filter !== null)
      .map(({ filter, map }, index) => `[branch${index}]${filter ?? ''}${map}`),
  ].join(';');
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'repeat+level+info', '-filter_complex_threads', '1'],
    '-copyts',
    ...inputArguments(plan),
    ...(plan.sound === true ? SOUND_STAND_IN : []),
    ...['-filter_complex', graph],
    ...outputs.flatMap((output, index) => [
      ...['-map', output.map, ...(output.standIn === undefined ? [] : ['-map', output.standIn]), ...output.options],
      ...['-flush_packets', '1', '-f', output.muxer, `pipe:${FIRST_OUTPUT_FD + index}`],
    ]),
  ];
}

/** How many pipes {@link ffmpegArguments} writes to; the last one is the sound's, where there is any. */
export function outputCount(sound: boolean): number {
  return sound ? SOUND_OUTPUT + 1 : SOUND_OUTPUT;
}

/** Place of the sound among the outputs. */
export const SOUND_OUTPUT = 2;

/** Length of the silence that stands in for sound, in samples; no true chunk is so short, but for the last. */
export const STAND_IN_SAMPLES = 16;

/**
 * A millisecond of silence as a second input. It ends at once; with it the output of the sound has a stream even when
 * the source has none, which ffmpeg would refuse to start with. Beside true sound it is one millisecond more.
 */
const SOUND_STAND_IN = ['-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono:d=0.001'];

function inputArguments(plan: CapturePlan): string[] {
  const { playback } = plan;
  const url = inputUrl(playback);
  const http = url.protocol === 'http:' || url.protocol === 'https:';
  const whitelist = url.protocol === 'file:' && playback.pace === 'file' ? 'file' : PROTOCOLS[url.protocol];
  if (whitelist === undefined) {
    throw new AppError('capture.bad_input', 'user', `Streams with ${url.protocol} cannot be captured.`);
  }
  if (http && plan.proxyUrl === null) {
    throw new AppError('capture.bad_input', 'unexpected', 'An http input needs the egress proxy.');
  }
  const timeoutUs = String(plan.readTimeoutMs * 1_000);
  return [
    ...['-protocol_whitelist', whitelist],
    ...(playback.container === 'hls' ? ['-f', 'hls'] : playback.container === 'dash' ? ['-f', 'dash'] : []),
    // The newest segment but one: nearer to now than ffmpeg's own choice, and enough to know the codec by.
    ...(playback.container === 'hls' && playback.pace === 'live' ? ['-live_start_index', '-2'] : []),
    ...(http ? ['-http_proxy', plan.proxyUrl ?? '', ...headerArguments(playback.headers)] : []),
    ...(http || url.protocol.startsWith('rtmp') ? ['-rw_timeout', timeoutUs] : []),
    ...(url.protocol.startsWith('rtsp') ? ['-rtsp_transport', 'tcp', '-timeout', timeoutUs] : []),
    ...(url.protocol === 'srt:' ? ['-timeout', timeoutUs, '-connect_timeout', String(plan.readTimeoutMs)] : []),
    // fpsprobesize: the frame rate is not used, and to measure it takes seconds of stream.
    ...['-probesize', '5000000', '-analyzeduration', '3000000', '-fpsprobesize', '0'],
    ...['-threads', '1', '-max_pixels', String(plan.maxPixels)],
    // Keyframes need no reordering: without low_delay each would wait for the next one, a whole GOP later.
    ...(plan.decode === 'keyframes' ? ['-skip_frame', 'nokey', '-flags', 'low_delay'] : []),
    ...(plan.sound === true ? ['-sn', '-dn'] : ['-an', '-sn', '-dn']),
    ...['-i', url.protocol === 'file:' ? `file:${decodeURIComponent(url.pathname)}` : playback.url],
  ];
}

function inputUrl(playback: Playback): URL {
  if (!URL.canParse(playback.url) || /[\0-\x20\x7f]/.test(playback.url)) {
    throw new AppError('capture.bad_input', 'user', 'The stream url is not a valid url.');
  }
  return new URL(playback.url);
}

function headerArguments(headers: Readonly<Record<string, string>>): string[] {
  const lines = Object.entries(headers).map(([name, value]) => {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]{0,4096}$/.test(value)) {
      throw new AppError('capture.bad_input', 'user', `The request header "${name.slice(0, 40)}" is not valid.`);
    }
    return `${name}: ${value}\r\n`;
  });
  return lines.length === 0 ? [] : ['-headers', lines.join('')];
}

/**
 * Thins to the sample interval, reports each frame that is left, then stamps it with the wall clock: the encoders
 * refuse time that runs backwards, as it does where a stream is spliced, and the report carries the true time.
 */
function sampling(plan: CapturePlan): string {
  const tolerance = Math.min(20, plan.sampleIntervalMs * 0.05);
  const interval = ((plan.sampleIntervalMs - tolerance) / 1_000).toFixed(4);
  return [
    `select='isnan(prev_selected_t)+gte(t-prev_selected_t\\,${interval})+lt(t\\,prev_selected_t)'`,
    `showinfo@${plan.reportTag}=checksum=0`,
    'settb=1/1000000',
    "setpts='if(isnan(PREV_OUTPTS)\\,RTCTIME\\,max(RTCTIME\\,PREV_OUTPTS+1))'",
  ].join(',');
}

/**
 * A frame must leave as it came and at once: none doubled, none dropped, or the outputs fall out of step; and no
 * second encoder thread, which would hold each frame back until the next one.
 */
const ONE_TO_ONE = ['-fps_mode', 'passthrough', '-enc_time_base', '1:1000000', '-threads', '1'];

/**
 * Raw pictures of the size that `pictureArea()` of frame.ts says: the padding, nearly half of a wide picture's frame, does
 * not go through the pipe. Each keeps its own size when the source changes its.
 */
function modelOutput(format: FrameFormat): CaptureOutput {
  const { width, height, fit } = format;
  // By way of bgr24, whose values differ by a level here and there from ffmpeg's direct way: detectors are measured and
  // thresholds chosen with it. Costs nothing that can be measured.
  const planes = 'format=bgr24,format=gbrp';
  const factor = `min(${width}/iw\\,${height}/ih)`;
  const size =
    fit === 'stretch' ? `w=${width}:h=${height}` : `w='max(1\\,round(iw*${factor}))':h='max(1\\,round(ih*${factor}))'`;
  const filter = `scale=${size}:flags=bilinear,${planes},setsar=1`;
  return { map: '[model]', filter, options: [...ONE_TO_ONE, '-autoscale', '0'], muxer: 'rawvideo' };
}

/** The clean picture as JPEG parts that carry their own length. */
function evidenceOutput(maxWidth: number): CaptureOutput {
  return {
    map: '[evidence]',
    filter: `scale=w='min(${maxWidth}\\,iw)':h=-2:flags=bilinear,format=yuvj420p`,
    // The optimal Huffman tables cost a second pass for a few per cent of size.
    options: [...ONE_TO_ONE, '-c:v', 'mjpeg', '-q:v', '4', '-huffman', 'default'],
    muxer: 'mpjpeg',
  };
}

/**
 * The first audio track, when there is one, as 16 kHz mono PCM in pieces of a tenth of a second. Each is reported with
 * its true time before it is stamped anew by its number, so that the muxer never meets time that runs backwards.
 */
function soundOutput(reportTag: string): CaptureOutput {
  const chain = [
    'aresample=16000',
    'aformat=sample_fmts=s16:channel_layouts=mono',
    'asetnsamples=n=1600:p=0',
    `ashowinfo@${reportTag}`,
    'asetpts=N/SR/TB',
  ];
  return {
    map: '0:a:0?',
    standIn: '1:a:0',
    filter: null,
    // The least delta that is one: the muxer must not wait for the stand-in, which has ended.
    options: ['-filter:a:0', chain.join(','), '-c:a', 'pcm_s16le', '-max_interleave_delta', '1'],
    muxer: 's16le',
  };
}
