import type { onnx } from 'onnx-proto';
import { AppError } from '#libs/errors/app-error.js';
import type { TfjsConstant, TfjsGraph, TfjsNode } from './tfjs-graph.js';

type OnnxProto = typeof onnx;

/** Version of what {@link convertCenterNet} makes; part of the name of cached files. */
export const converterVersion = 1;

const inputName = 'tower_0/images';
const outputNames = ['tower_0/keypoints', 'tower_0/wh'] as const;
const elementwise: Readonly<Record<string, string>> = {
  Mul: 'Mul',
  Add: 'Add',
  Relu: 'Relu',
  Sigmoid: 'Sigmoid',
  Identity: 'Identity',
};

/**
 * Loads the ONNX format package.
 * @throws AppError `model.package_missing`
 */
export async function loadOnnxProto(): Promise<OnnxProto> {
  try {
    return (await import('onnx-proto')).default.onnx;
  } catch (error) {
    throw new AppError(
      'model.package_missing',
      'operational',
      'The optional package onnx-proto is not installed, so the built-in model cannot be converted: run `npm install`.',
      { package: 'onnx-proto' },
      { cause: error },
    );
  }
}

/**
 * Converts the MobileNetV3 CenterNet graph that `@vladmandic/human` carries into an ONNX model (opset 13).
 * Input `[1,3,512,512]` f32, RGB 0-255; outputs `tower_0/keypoints` `[1,80,128,128]` (scores of centres) and
 * `tower_0/wh` `[1,4,128,128]` (distances left, top, right, bottom in input pixels). Data turns from NHWC to NCHW.
 * @throws AppError `model.unreadable` when the graph holds something else than this network is made of
 */
export function convertCenterNet(graph: TfjsGraph, proto: OnnxProto): Uint8Array {
  const { FLOAT } = proto.TensorProto.DataType;
  const value = (name: string, sides: readonly number[]): onnx.IValueInfoProto => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: sides.map((dimValue) => ({ dimValue })) } } },
  });
  const builder = new GraphBuilder(graph, proto);
  for (const node of reachable(graph, outputNames)) builder.add(node);
  const model = proto.ModelProto.create({
    irVersion: 7,
    producerName: 'vigil',
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'centernet',
      node: builder.nodes,
      initializer: [...builder.initializers.values()],
      input: [value(inputName, [1, 3, 512, 512])],
      output: [value(outputNames[0], [1, 80, 128, 128]), value(outputNames[1], [1, 4, 128, 128])],
    },
  });
  return proto.ModelProto.encode(model).finish();
}

/** The operations that the outputs depend on, each after what it depends on. */
function reachable(graph: TfjsGraph, outputs: readonly string[]): TfjsNode[] {
  const ordered: TfjsNode[] = [];
  const state = new Map<string, 'entered' | 'done'>();
  const stack: string[] = [...outputs];
  for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
    const node = graph.nodes.get(name);
    if (node === undefined) throw unsupported(`it has no operation "${name}"`);
    if (state.get(name) === undefined) {
      state.set(name, 'entered');
      for (const source of node.input) {
        if (state.get(source) === 'entered') throw unsupported(`it has a cycle at "${source}"`);
        if (state.get(source) === undefined) stack.push(source);
      }
      continue;
    }
    stack.pop();
    if (state.get(name) === 'entered' && node.op !== 'Const' && node.op !== 'Placeholder') ordered.push(node);
    state.set(name, 'done');
  }
  return ordered;
}

class GraphBuilder {
  readonly nodes: onnx.INodeProto[] = [];
  readonly initializers = new Map<string, onnx.ITensorProto>();

  constructor(
    private readonly graph: TfjsGraph,
    private readonly proto: OnnxProto,
  ) {}

  add(node: TfjsNode): void {
    const simple = elementwise[node.op];
    if (simple !== undefined)
      this.emit(
        simple,
        node.input.map((name) => this.operand(name)),
        node.name,
      );
    else if (node.op === 'Relu6') this.relu6(node);
    else if (node.op === 'Mean') this.mean(node);
    else if (node.op === 'ConcatV2') this.concat(node);
    else if (node.op === 'ResizeBilinear') this.resize(node);
    else if (node.op === 'Conv2D' || node.op === '_FusedConv2D') this.convolution(node, false);
    else if (node.op === 'DepthwiseConv2dNative' || node.op === 'FusedDepthwiseConv2dNative')
      this.convolution(node, true);
    else throw unsupported(`it uses the operation ${node.op}`);
  }

  private convolution(node: TfjsNode, depthwise: boolean): void {
    const [source, kernelName, biasName] = node.input;
    const kernel = this.constant(kernelName);
    const [height = 0, width = 0, channels = 0, last = 0] = kernel.shape;
    if (kernel.shape.length !== 4 || (depthwise && last !== 1))
      throw unsupported(`"${node.name}" has an unusual kernel`);
    // HWIO becomes OIHW; the HWC1 of a depthwise kernel becomes C1HW.
    const order = depthwise ? ([2, 3, 0, 1] as const) : ([3, 2, 0, 1] as const);
    const name = `${node.name}/kernel`;
    this.initializers.set(name, this.tensor(name, transpose(kernel, order)));
    const inputs = [this.operand(source), name];
    const fused = node.texts('fused_ops');
    if (fused.length > 0) {
      if (fused[0] !== 'BiasAdd' || fused.length > 2 || (fused[1] ?? 'Relu') !== 'Relu') {
        throw unsupported(`"${node.name}" is fused with ${fused.join(', ')}`);
      }
      inputs.push(this.initializer(biasName));
    }
    const [, strideY = 1, strideX = 1] = node.integers('strides');
    const [, dilationY = 1, dilationX = 1] = node.integers('dilations');
    const output = fused.length === 2 ? `${node.name}/linear` : node.name;
    this.emit('Conv', inputs, output, [
      this.ints('kernel_shape', [height, width]),
      this.ints('strides', [strideY, strideX]),
      this.ints('dilations', [dilationY, dilationX]),
      this.int('group', depthwise ? channels : 1),
      this.text('auto_pad', node.text('padding') === 'SAME' ? 'SAME_UPPER' : 'VALID'),
    ]);
    if (fused.length === 2) this.emit('Relu', [output], node.name);
  }

  private relu6(node: TfjsNode): void {
    this.emit('Clip', [this.operand(node.input[0]), this.scalar('zero', 0), this.scalar('six', 6)], node.name);
  }

  private mean(node: TfjsNode): void {
    const axes = [...this.constant(node.input[1]).values].sort((a, b) => a - b);
    if (axes.join() !== '1,2' || !node.flag('keep_dims')) throw unsupported(`"${node.name}" averages over other axes`);
    this.emit('GlobalAveragePool', [this.operand(node.input[0])], node.name);
  }

  private concat(node: TfjsNode): void {
    const axis = this.constant(node.input.at(-1)).values[0];
    if (axis !== 3 && axis !== -1) throw unsupported(`"${node.name}" joins along axis ${axis}`);
    this.emit(
      'Concat',
      node.input.slice(0, -1).map((name) => this.operand(name)),
      node.name,
      [this.int('axis', 1)],
    );
  }

  private resize(node: TfjsNode): void {
    if (node.flag('align_corners') || node.flag('half_pixel_centers'))
      throw unsupported(`"${node.name}" aligns corners`);
    const [height = 0, width = 0] = this.constant(node.input[1]).values;
    const source = this.operand(node.input[0]);
    // Batch and channels are taken from the input, for opset 13 wants all four sizes.
    const whole = `${node.name}/shape`;
    const kept = `${node.name}/kept`;
    const sizes = `${node.name}/sizes`;
    this.emit('Shape', [source], whole);
    this.emit('Slice', [whole, this.integers('slice_from', [0]), this.integers('slice_to', [2])], kept);
    this.emit('Concat', [kept, this.integers(`${node.name}/target`, [height, width])], sizes, [this.int('axis', 0)]);
    this.emit('Resize', [source, '', '', sizes], node.name, [
      this.text('mode', 'linear'),
      this.text('coordinate_transformation_mode', 'asymmetric'),
    ]);
  }

  /** An input of an elementwise operation: a constant must be a scalar, which means the same in NHWC and NCHW. */
  private operand(name: string | undefined): string {
    if (name === undefined || !this.graph.constants.has(name)) return name ?? '';
    if (this.constant(name).shape.length > 0) throw unsupported(`"${name}" is not a scalar`);
    return this.initializer(name);
  }

  private initializer(name: string | undefined): string {
    const constant = this.constant(name);
    if (name === undefined || constant.shape.length > 1) throw unsupported(`"${name}" is not a scalar or a vector`);
    if (!this.initializers.has(name)) this.initializers.set(name, this.tensor(name, constant));
    return name;
  }

  private constant(name: string | undefined): TfjsConstant {
    const found = name === undefined ? undefined : this.graph.constants.get(name);
    if (found === undefined) throw unsupported(`it lacks the constant "${name}"`);
    return found;
  }

  private tensor(name: string, { shape, values }: TfjsConstant): onnx.ITensorProto {
    const { FLOAT, INT32 } = this.proto.TensorProto.DataType;
    return {
      name,
      dims: [...shape],
      dataType: values instanceof Float32Array ? FLOAT : INT32,
      rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    };
  }

  private scalar(name: string, number: number): string {
    if (!this.initializers.has(name)) {
      this.initializers.set(name, this.tensor(name, { shape: [], values: new Float32Array([number]) }));
    }
    return name;
  }

  private integers(name: string, numbers: readonly number[]): string {
    this.initializers.set(name, {
      name,
      dims: [numbers.length],
      dataType: this.proto.TensorProto.DataType.INT64,
      int64Data: [...numbers],
    });
    return name;
  }

  private emit(opType: string, input: string[], output: string, attribute: onnx.IAttributeProto[] = []): void {
    this.nodes.push({ name: output, opType, input, output: [output], attribute });
  }

  private int(name: string, i: number): onnx.IAttributeProto {
    return { name, type: this.proto.AttributeProto.AttributeType.INT, i };
  }

  private ints(name: string, ints: number[]): onnx.IAttributeProto {
    return { name, type: this.proto.AttributeProto.AttributeType.INTS, ints };
  }

  private text(name: string, text: string): onnx.IAttributeProto {
    return { name, type: this.proto.AttributeProto.AttributeType.STRING, s: Buffer.from(text) };
  }
}

/** Reorders the axes of a four-dimensional constant; side `n` of the result is side `order[n]` of the source. */
export function transpose(
  { shape, values }: TfjsConstant,
  order: readonly [number, number, number, number],
): TfjsConstant {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
  const sides = order.map((axis) => shape[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 1);
  const [a = 1, b = 1, c = 1, d = 1] = sides;
  const [stepA = 0, stepB = 0, stepC = 0, stepD = 0] = steps;
  const result = new Float32Array(values.length);
  let at = 0;
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < c; k++)
        for (let l = 0; l < d; l++) result[at++] = values[i * stepA + j * stepB + k * stepC + l * stepD] ?? 0;
  return { shape: sides, values: result };
}

function unsupported(what: string): AppError {
  return new AppError(
    'model.unreadable',
    'operational',
    `The packaged CenterNet graph cannot be converted: ${what}. Install the version of the package that the lock file names.`,
  );
}
