import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError, messageOf } from '#libs/errors/app-error.js';

const Attribute = z.object({
  s: z.string().optional(),
  b: z.boolean().optional(),
  list: z.object({ i: z.array(z.coerce.number()).optional(), s: z.array(z.string()).optional() }).optional(),
});

const GraphNode = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z.record(z.string(), z.unknown()).default({}),
});

const Weight = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()).max(8),
  dtype: z.enum(['float32', 'int32', 'bool']),
  quantization: z
    .object({
      dtype: z.enum(['float16', 'uint8', 'uint16']),
      scale: z.number().optional(),
      min: z.number().optional(),
    })
    .optional(),
});
type Weight = z.infer<typeof Weight>;

const GraphModel = z.object({
  modelTopology: z.object({ node: z.array(GraphNode).max(100_000) }),
  weightsManifest: z.array(z.object({ paths: z.array(z.string().regex(/^[\w.-]+$/)), weights: z.array(Weight) })),
});

/** One operation of the graph; data is NHWC. */
export class TfjsNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  private readonly attr: Readonly<Record<string, unknown>>;

  constructor(node: z.infer<typeof GraphNode>) {
    this.name = node.name;
    this.op = node.op;
    this.input = node.input;
    this.attr = node.attr;
  }

  /** A text attribute; graphs carry them in base64. */
  text(name: string): string {
    return Buffer.from(this.attribute(name)?.s ?? '', 'base64').toString('utf8');
  }

  /** A list of texts, empty when absent. */
  texts(name: string): string[] {
    return (this.attribute(name)?.list?.s ?? []).map((text) => Buffer.from(text, 'base64').toString('utf8'));
  }

  /** A list of whole numbers, empty when absent. */
  integers(name: string): number[] {
    return this.attribute(name)?.list?.i ?? [];
  }

  /** A truth value, false when absent. */
  flag(name: string): boolean {
    return this.attribute(name)?.b ?? false;
  }

  private attribute(name: string): z.infer<typeof Attribute> | undefined {
    return this.attr[name] === undefined ? undefined : Attribute.parse(this.attr[name]);
  }
}

/** A constant of the graph, dequantised; values row-major. */
export interface TfjsConstant {
  shape: readonly number[];
  values: Float32Array | Int32Array;
}

/** A TensorFlow.js graph model with its weights. */
export interface TfjsGraph {
  nodes: ReadonlyMap<string, TfjsNode>;
  constants: ReadonlyMap<string, TfjsConstant>;
}

/**
 * Reads a graph model: a `.json` with weight files beside it.
 * @throws AppError `model.unreadable`
 */
export async function readTfjsGraph(path: string): Promise<TfjsGraph> {
  try {
    const model = GraphModel.parse(JSON.parse(await readFile(path, 'utf8')));
    const constants = new Map<string, TfjsConstant>();
    for (const group of model.weightsManifest) {
      const bytes = Buffer.concat(await Promise.all(group.paths.map((name) => readFile(join(dirname(path), name)))));
      let offset = 0;
      for (const weight of group.weights) {
        const [constant, length] = readConstant(weight, bytes, offset);
        constants.set(weight.name, constant);
        offset += length;
      }
    }
    return { nodes: new Map(model.modelTopology.node.map((node) => [node.name, new TfjsNode(node)])), constants };
  } catch (error) {
    const sentence = `Cannot read the weights in ${path}: ${messageOf(error)}. Reinstall the packages.`;
    throw new AppError('model.unreadable', 'operational', sentence, { path }, { cause: error });
  }
}

/**
 * Reads one constant and the number of bytes it takes. Stored as in TensorFlow.js' `io.decodeWeights`: little endian;
 * `float16` as IEEE half; `uint8` and `uint16` as `value * scale + min`.
 */
export function readConstant(weight: Weight, bytes: Buffer, offset: number): [TfjsConstant, number] {
  const { shape, dtype, quantization } = weight;
  const count = shape.reduce((product, side) => product * side, 1);
  const stored = quantization?.dtype ?? dtype;
  const width = stored === 'float16' || stored === 'uint16' ? 2 : stored === 'uint8' || stored === 'bool' ? 1 : 4;
  if (offset + count * width > bytes.length) throw new Error(`the file ends inside "${weight.name}"`);
  const { scale = 1, min = 0 } = quantization ?? {};
  const read = {
    float32: (at: number) => bytes.readFloatLE(at),
    float16: (at: number) => halfToNumber(bytes.readUInt16LE(at)),
    int32: (at: number) => bytes.readInt32LE(at),
    uint16: (at: number) => bytes.readUInt16LE(at) * scale + min,
    uint8: (at: number) => bytes.readUInt8(at) * scale + min,
    bool: (at: number) => bytes.readUInt8(at),
  }[stored];
  const values = dtype === 'float32' ? new Float32Array(count) : new Int32Array(count);
  for (let index = 0; index < count; index++) {
    const value = read(offset + index * width);
    values[index] = dtype === 'float32' ? value : Math.round(value);
  }
  return [{ shape, values }, count * width];
}

/** An IEEE 754 binary16 value. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
