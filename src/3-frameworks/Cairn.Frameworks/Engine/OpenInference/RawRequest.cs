using System.Buffers.Binary;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>
/// A raw binary request (header length 0): the body is the only input's data, a batch of one where the model has batches.
/// </summary>
internal static class RawRequest
{
    /// <exception cref="RefusedException">The model's input cannot be told from a number of bytes.</exception>
    public static InferCall Read(ReadOnlyMemory<byte> body, ModelVersion model)
    {
        if (model.Config.Input is not [{ } input])
            throw RefusedException.Invalid($"a raw request needs a model with one input; '{model.Name}' has {model.Config.Input.Count}");
        var type = TensorTypes.From(input.DataType)!.Value;
        long[] dims = [.. input.Dims];
        if (type == TensorType.Bytes)
        {
            if (dims is not ([1] or [-1]))
                throw RefusedException.Invalid(
                    $"a raw request of BYTES needs the shape [1]; '{input.Name}' has {TensorContents.Show(dims)}");
            var framed = new byte[body.Length + 4];
            BinaryPrimitives.WriteUInt32LittleEndian(framed, (uint)body.Length);
            body.CopyTo(framed.AsMemory(4));
            (body, dims) = (framed, [1]);
        }
        else
            Fill(dims, body.Length, type.Size(), input.Name);
        long[] shape = model.Config.MaxBatchSize > 0 ? [1, .. dims] : dims;
        TensorContents.Check(input.Name, type, shape, body.Span);
        return new() { Inputs = new Tensor[] { new(input.Name, type, shape, body) }, BinaryOutput = true };
    }

    private static void Fill(long[] dims, int bytes, int size, string name)
    {
        var known = TensorContents.Elements([.. dims.Where(dimension => dimension >= 0)], name) * size;
        var open = dims.Count(dimension => dimension < 0);
        if (open > 1)
            throw RefusedException.Invalid($"a raw request needs an input with at most one variable dimension; '{name}' has {open}");
        if (open == 0)
            return;
        if (known == 0 || bytes % known != 0)
            throw RefusedException.Invalid($"{bytes} bytes are not a whole number of '{name}' of shape {TensorContents.Show(dims)}");
        dims[Array.FindIndex(dims, dimension => dimension < 0)] = bytes / known;
    }
}
