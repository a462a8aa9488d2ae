import { AppError } from '#libs/errors/app-error.js';
import { bytesOf, SAMPLE_RATE, samplesOf } from './pcm.js';

const PCM = 1;
const EXTENSIBLE = 0xfffe;

/**
 * Samples of a WAV file that is 16 kHz, mono, 16 bit already (RIFF as in the Multimedia Programming Interface 1.0).
 * @throws AppError `sound.unreadable`, saying how to convert the file
 */
export function samplesOfWav(file: Uint8Array, name: string): Int16Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw unreadable(name, 'is not a WAV file');
  }
  let fits = false;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (id === 'fmt ' && body.length >= 16) {
      const [coding, channels, rate, bits] = [
        ...[body.readUInt16LE(0), body.readUInt16LE(2), body.readUInt32LE(4), body.readUInt16LE(14)],
      ];
      fits = (coding === PCM || coding === EXTENSIBLE) && channels === 1 && rate === SAMPLE_RATE && bits === 16;
      if (!fits) throw unreadable(name, `holds ${channels ?? 0} channels of ${bits ?? 0} bit at ${rate ?? 0} Hz`);
    }
    if (id === 'data' && fits) return samplesOf(body);
    at += 8 + length + (length % 2);
  }
  throw unreadable(name, 'holds no sound');
}

function unreadable(name: string, why: string): AppError {
  const sentence = `${name} ${why}. Convert it: ffmpeg -i ${name} -ac 1 -ar 16000 -c:a pcm_s16le speech.wav`;
  return new AppError('sound.unreadable', 'user', sentence, { file: name });
}

/** A WAV file of samples, 16 kHz, mono, 16 bit. */
export function wavOf(samples: Int16Array): Buffer<ArrayBuffer> {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + samples.length * 2, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(PCM, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(SAMPLE_RATE, 24);
  head.writeUInt32LE(SAMPLE_RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(samples.length * 2, 40);
  return Buffer.concat([head, bytesOf(samples)]);
}
