using System.Buffers.Binary;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>A named tensor as it goes over the wire: little-endian, row-major, without padding.</summary>
/// <param name="Data">Exactly what <paramref name="Shape"/> asks for; <see cref="TensorContents.Check"/> has proved it for what came
/// in.</param>
internal sealed record Tensor(string Name, TensorType Type, long[] Shape, ReadOnlyMemory<byte> Data)
{
    /// <summary>Rows of the first dimension; 1 for a scalar.</summary>
    public long Rows => Shape.Length == 0 ? 1 : Shape[0];
}

/// <summary>Sizes of tensors, every product checked.</summary>
internal static class TensorContents
{
    /// <summary>The most dimensions that are taken; more than any model has, so that a hostile shape stays cheap.</summary>
    public const int MaximumRank = 32;

    /// <summary>Elements of a shape.</summary>
    /// <exception cref="RefusedException">A dimension is negative, there are too many, or the product leaves 63 bits.</exception>
    public static long Elements(ReadOnlySpan<long> shape, string name)
    {
        if (shape.Length > MaximumRank)
            throw RefusedException.Invalid($"tensor '{name}' has {shape.Length} dimensions; at most {MaximumRank} are taken");
        var elements = 1L;
        foreach (var dimension in shape)
        {
            if (dimension < 0)
                throw RefusedException.Invalid(
                    $"tensor '{name}' has the dimension {dimension} in its shape; a request's dimensions are 0 or more");
            if (Math.BigMul(elements, dimension, out var product) != 0 || product < 0)
                throw RefusedException.Invalid($"tensor '{name}': the product of the shape {Show(shape)} does not fit 63 bits");
            elements = product;
        }

        return elements;
    }

    /// <summary>Bytes that a shape of a fixed-size type takes; at most 2 GiB.</summary>
    public static int Bytes(TensorType type, ReadOnlySpan<long> shape, string name)
    {
        var elements = Elements(shape, name);
        return elements <= int.MaxValue / type.Size()
            ? (int)elements * type.Size()
            : throw RefusedException.Invalid($"tensor '{name}' of shape {Show(shape)} is larger than 2 GiB");
    }

    /// <summary>Proves that <paramref name="data"/> is what <paramref name="shape"/> asks for.</summary>
    public static void Check(string name, TensorType type, ReadOnlySpan<long> shape, ReadOnlySpan<byte> data)
    {
        if (type != TensorType.Bytes)
        {
            var expected = Bytes(type, shape, name);
            if (data.Length != expected)
                throw RefusedException.Invalid(
                    $"tensor '{name}' of shape {Show(shape)} and type {type.Name()} takes {expected} bytes; {data.Length} came");
            return;
        }

        var elements = Elements(shape, name);
        var offset = 0;
        var seen = 0L;
        for (; seen < elements && offset < data.Length; seen++)
            offset = NextString(data, offset, name);
        if (seen != elements || offset != data.Length)
            throw RefusedException.Invalid(
                $"tensor '{name}' of shape {Show(shape)} has {elements} strings; "
                + $"the data holds {seen} and {data.Length - offset} bytes more");
    }

    /// <summary>The offset behind the string that begins at <paramref name="offset"/>.</summary>
    public static int NextString(ReadOnlySpan<byte> data, int offset, string name)
    {
        if (data.Length - offset < 4)
            throw RefusedException.Invalid($"tensor '{name}': a string's length is cut off at byte {offset}");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(data[offset..]);
        return length <= data.Length - offset - 4
            ? offset + 4 + (int)length
            : throw RefusedException.Invalid(
                $"tensor '{name}': the string at byte {offset} claims {length} bytes, {data.Length - offset - 4} are left");
    }

    /// <summary>
    /// The offset behind <paramref name="elements"/> elements that begin at <paramref name="offset"/> in data that was checked.
    /// </summary>
    public static int Skip(TensorType type, ReadOnlySpan<byte> data, int offset, long elements, string name)
    {
        if (type != TensorType.Bytes)
            return offset + checked((int)elements * type.Size());
        for (var i = 0L; i < elements; i++)
            offset = NextString(data, offset, name);
        return offset;
    }

    public static string Show(ReadOnlySpan<long> shape) => $"[{string.Join(',', shape.ToArray())}]";
}
