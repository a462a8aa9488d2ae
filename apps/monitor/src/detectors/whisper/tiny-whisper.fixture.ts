import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { onnx } from 'onnx-proto';
import { loadOnnxProto } from '../../inference/centernet-converter.js';

const MELS = 80;
const TEXT_CONTEXT = 448;

/**
 * Writes a model of a few kilobytes in the Whisper format of sherpa-onnx: not a speech model, but a table that spells
 * one sentence whatever it hears. It drives the true engine, its files and its process from sound to text where no
 * real weights are. Tensor names, shapes and metadata keys as sherpa-onnx's `offline-whisper-model.cc` reads them.
 */
export async function writeTinyWhisper(folder: string, sentence: string): Promise<void> {
  const proto = await loadOnnxProto();
  const words = sentence.split(' ').map((word, index) => (index === 0 ? word : ` ${word}`));
  const [sot, eot, noTimestamps, noSpeech] = [words.length, words.length + 1, words.length + 2, words.length + 3];
  const vocabulary = words.length + 5;
  const build = new Builder(proto);
  const cache = [1, 1, TEXT_CONTEXT, 1];
  const encoder = build.model(
    {
      name: 'encoder',
      node: [
        build.node('ReduceMean', ['mel'], 'mean', { axes: [1, 2], keepdims: 1 }),
        build.node('Unsqueeze', ['mean', 'first'], 'n_layer_cross_k'),
        build.node('Neg', ['n_layer_cross_k'], 'n_layer_cross_v'),
      ],
      initializer: [build.integers('first', [0])],
      input: [build.floats('mel', [1, MELS, 'frames'])],
      output: [build.floats('n_layer_cross_k', [1, 1, 1, 1]), build.floats('n_layer_cross_v', [1, 1, 1, 1])],
    },
    {
      ...{ model_type: 'whisper-table', n_mels: MELS, n_text_layer: 1, n_text_ctx: TEXT_CONTEXT, n_text_state: 1 },
      ...{ n_vocab: vocabulary, sot, eot, blank_id: 0, translate: 0, transcribe: 0, is_multilingual: 0 },
      ...{ no_timestamps: noTimestamps, no_speech: noSpeech, sot_sequence: sot },
    },
  );
  // Row t holds the logits after token t: the next word, and the end after the last.
  const table = new Float32Array(vocabulary * vocabulary);
  for (let token = 0; token < vocabulary; token += 1) {
    const next = token >= words.length ? 0 : token + 1 < words.length ? token + 1 : eot;
    table[token * vocabulary + next] = 1;
  }
  const decoder = build.model(
    {
      name: 'decoder',
      node: [
        build.node('Gather', ['table', 'tokens'], 'logits'),
        build.node('Identity', ['in_n_layer_self_k_cache'], 'out_n_layer_self_k_cache'),
        build.node('Identity', ['in_n_layer_self_v_cache'], 'out_n_layer_self_v_cache'),
      ],
      initializer: [build.table('table', table, vocabulary)],
      input: [
        build.longs('tokens', [1, 'count']),
        ...['in_n_layer_self_k_cache', 'in_n_layer_self_v_cache'].map((name) => build.floats(name, cache)),
        ...['n_layer_cross_k', 'n_layer_cross_v'].map((name) => build.floats(name, [1, 1, 1, 1])),
        build.longs('offset', [1]),
      ],
      output: [
        build.floats('logits', [1, 'count', vocabulary]),
        ...['out_n_layer_self_k_cache', 'out_n_layer_self_v_cache'].map((name) => build.floats(name, cache)),
      ],
    },
    {},
  );
  const tokens = words.map((word, index) => `${Buffer.from(word).toString('base64')} ${index}\n`).join('');
  await writeFile(join(folder, 'table-encoder.onnx'), encoder);
  await writeFile(join(folder, 'table-decoder.onnx'), decoder);
  await writeFile(join(folder, 'table-tokens.txt'), tokens);
}

type Sides = readonly (number | string)[];

class Builder {
  constructor(private readonly proto: typeof onnx) {}

  model(graph: onnx.IGraphProto, metadata: Readonly<Record<string, string | number>>): Uint8Array {
    const model = this.proto.ModelProto.create({
      ...{ irVersion: 7, producerName: 'vigil', opsetImport: [{ domain: '', version: 13 }], graph },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value: String(value) })),
    });
    return this.proto.ModelProto.encode(model).finish();
  }

  node(
    opType: string,
    input: string[],
    output: string,
    attributes: Readonly<Record<string, number | number[]>> = {},
  ): onnx.INodeProto {
    const { INT, INTS } = this.proto.AttributeProto.AttributeType;
    const attribute = Object.entries(attributes).map(([name, value]) =>
      Array.isArray(value) ? { name, type: INTS, ints: value } : { name, type: INT, i: value },
    );
    return { name: output, opType, input, output: [output], attribute };
  }

  floats(name: string, sides: Sides): onnx.IValueInfoProto {
    return this.value(name, sides, this.proto.TensorProto.DataType.FLOAT);
  }

  longs(name: string, sides: Sides): onnx.IValueInfoProto {
    return this.value(name, sides, this.proto.TensorProto.DataType.INT64);
  }

  integers(name: string, numbers: number[]): onnx.ITensorProto {
    const dataType = this.proto.TensorProto.DataType.INT64;
    return { name, dims: [numbers.length], dataType, int64Data: numbers };
  }

  table(name: string, values: Float32Array, side: number): onnx.ITensorProto {
    const dataType = this.proto.TensorProto.DataType.FLOAT;
    return { name, dims: [side, side], dataType, rawData: new Uint8Array(values.buffer) };
  }

  private value(name: string, sides: Sides, elemType: number): onnx.IValueInfoProto {
    const dim = sides.map((side) => (typeof side === 'number' ? { dimValue: side } : { dimParam: side }));
    return { name, type: { tensorType: { elemType, shape: { dim } } } };
  }
}
