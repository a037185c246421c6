using System.Diagnostics;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Lays requests behind one another along the first dimension, and takes their answers apart again.</summary>
internal static class TensorBatch
{
    /// <summary>One tensor per input over all requests. The data lies in <paramref name="buffer"/>, which grows when it must.</summary>
    public static Tensor[] Concatenate(IReadOnlyList<Tensor[]> requests, ref byte[] buffer)
    {
        Debug.Assert(requests.Count > 1);
        var first = requests[0];
        var total = requests.Sum(request => request.Sum(tensor => (long)tensor.Data.Length));
        if (buffer.Length < total)
            buffer = GC.AllocateUninitializedArray<byte>(checked((int)Math.Max(total, Math.Min(2L * buffer.Length, Array.MaxLength))));
        var batch = new Tensor[first.Length];
        var offset = 0;
        for (var input = 0; input < first.Length; input++)
        {
            var start = offset;
            var rows = 0L;
            foreach (var request in requests)
            {
                request[input].Data.CopyTo(buffer.AsMemory(offset));
                offset += request[input].Data.Length;
                rows += request[input].Rows;
            }

            long[] shape = [.. first[input].Shape];
            shape[0] = rows;
            batch[input] = first[input] with { Shape = shape, Data = buffer.AsMemory(start, offset - start) };
        }

        return batch;
    }

    /// <summary>
    /// Each request's share of the outputs, or null where an output does not have <paramref name="rows"/>' sum as its first dimension.
    /// </summary>
    public static Tensor[][]? Split(Tensor[] outputs, ReadOnlySpan<int> rows)
    {
        var total = 0L;
        foreach (var count in rows)
            total += count;
        foreach (var output in outputs)
            if (output.Shape.Length == 0 || output.Shape[0] != total)
                return null;
        var shares = new Tensor[rows.Length][];
        var offsets = new int[outputs.Length];
        for (var request = 0; request < rows.Length; request++)
        {
            var share = new Tensor[outputs.Length];
            for (var i = 0; i < outputs.Length; i++)
            {
                var output = outputs[i];
                long[] shape = [.. output.Shape];
                shape[0] = rows[request];
                var end = TensorContents.Skip(
                    output.Type, output.Data.Span, offsets[i], TensorContents.Elements(shape, output.Name), output.Name);
                share[i] = output with { Shape = shape, Data = output.Data[offsets[i]..end] };
                offsets[i] = end;
            }

            shares[request] = share;
        }

        return shares;
    }
}
