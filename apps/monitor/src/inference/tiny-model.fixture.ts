import { writeFile } from 'node:fs/promises';
import { loadOnnxProto } from './centernet-converter.js';

/** One output of a made-up model: its shape and the values that are not zero, by flat index. */
export interface TinyOutput {
  name: string;
  dims: readonly number[];
  values?: ReadonlyMap<number, number>;
}

/** Writes an ONNX model that answers the same whatever it is shown. */
export async function writeTinyModel(
  path: string,
  input: readonly (number | string)[],
  outputs: readonly TinyOutput[],
): Promise<void> {
  const proto = await loadOnnxProto();
  const { FLOAT } = proto.TensorProto.DataType;
  const info = (name: string, sides: readonly (number | string)[]) => ({
    name,
    type: {
      tensorType: {
        elemType: FLOAT,
        shape: { dim: sides.map((side) => (typeof side === 'number' ? { dimValue: side } : { dimParam: side })) },
      },
    },
  });
  const model = proto.ModelProto.create({
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'tiny',
      node: outputs.map(({ name, dims, values }) => {
        const floats = new Float32Array(dims.reduce((product, side) => product * side, 1));
        for (const [index, value] of values ?? []) floats[index] = value;
        const t = { dims: [...dims], dataType: FLOAT, rawData: new Uint8Array(floats.buffer) };
        const attribute = [{ name: 'value', type: proto.AttributeProto.AttributeType.TENSOR, t }];
        return { name, opType: 'Constant', output: [name], attribute };
      }),
      input: [info('images', input)],
      output: outputs.map(({ name, dims }) => info(name, dims)),
    },
  });
  await writeFile(path, proto.ModelProto.encode(model).finish());
}
