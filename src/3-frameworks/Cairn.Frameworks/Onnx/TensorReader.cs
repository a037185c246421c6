using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cairn.Frameworks.Onnx.Proto;
using Microsoft.Win32.SafeHandles;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Onnx;

/// <summary>
/// Reads tensors of one model, wherever their bytes lie; a part at a time, so that no weight has to fit one array. Not for concurrent use.
/// </summary>
internal sealed class TensorReader(string modelPath) : IDisposable
{
    private readonly Dictionary<string, SafeFileHandle> _files = new(StringComparer.Ordinal);
    private (TensorProto Tensor, ReadOnlyMemory<byte> Bytes) _last;

    /// <summary>Copies raw bytes of a tensor, little-endian as the format has them.</summary>
    /// <exception cref="OnnxFormatException">The tensor's data is missing or shorter than its shape.</exception>
    internal void Read(TensorProto tensor, long offset, Span<byte> into)
    {
        if (!ExternalData.Holds(tensor))
        {
            Inside(tensor).Span.Slice(checked((int)offset), into.Length).CopyTo(into);
            return;
        }
        var place = ExternalData.Locate(tensor, modelPath);
        if (offset + into.Length > place.Length)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"past the end of tensor '{tensor.Name}'");
        if (!_files.TryGetValue(place.Path, out var file))
            _files.Add(place.Path, file = File.OpenHandle(place.Path));
        for (var done = 0; done < into.Length;)
        {
            var read = RandomAccess.Read(file, into[done..], place.Offset + offset + done);
            if (read == 0)
                throw new OnnxFormatException($"{place.Path}: became shorter while it was read");
            done += read;
        }
    }

    /// <summary>Elements <paramref name="first"/> onwards of a float, float16, bfloat16 or double tensor, as floats.</summary>
    internal void ReadFloats(TensorProto tensor, long first, Span<float> into)
    {
        var type = TensorTypes.Type(tensor);
        if (type == DataType.Float)
        {
            Read(tensor, first * 4, MemoryMarshal.AsBytes(into));
            return;
        }
        var width = TensorTypes.Bits(type) / 8;
        var bytes = new byte[Math.Min(into.Length, 1 << 16) * width];
        for (var done = 0; done < into.Length; done += bytes.Length / width)
        {
            var part = into.Slice(done, Math.Min(bytes.Length / width, into.Length - done));
            Read(tensor, (first + done) * width, bytes.AsSpan(0, part.Length * width));
            Widen(tensor, bytes, part);
        }
    }

    internal static bool IsFloating(TensorProto tensor) =>
        TensorTypes.Type(tensor) is DataType.Float or DataType.Float16 or DataType.Bfloat16 or DataType.Double;

    private static void Widen(TensorProto tensor, ReadOnlySpan<byte> bytes, Span<float> into)
    {
        for (var i = 0; i < into.Length; i++)
            into[i] = TensorTypes.Type(tensor) switch
            {
                DataType.Float16 => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(i * 2)..]),
                DataType.Bfloat16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * 2)..]) << 16),
                DataType.Double => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(i * 8)..]),
                _ => throw new ArgumentException(
                    $"tensor '{tensor.Name}' has the type {TensorTypes.Name(tensor)}; a floating one is expected"),
            };
    }

    private ReadOnlyMemory<byte> Inside(TensorProto tensor)
    {
        if (ReferenceEquals(_last.Tensor, tensor))
            return _last.Bytes;
        var bytes = tensor.RawData.Length > 0 ? tensor.RawData.Memory : Typed(tensor);
        var expected = TensorTypes.ByteLength(tensor);
        if (bytes.Length != expected)
            throw new OnnxFormatException(
                $"{Path.GetFileName(modelPath)}: tensor '{tensor.Name}' ({TensorTypes.Name(tensor)} {TensorTypes.Shape(tensor)}) "
                + $"has {bytes.Length} bytes; expected {expected}");
        _last = (tensor, bytes);
        return bytes;
    }

    /// <summary>The typed fields, where values lie when there is no raw data (onnx.proto tells which type uses which).</summary>
    private static byte[] Typed(TensorProto tensor) => TensorTypes.Type(tensor) switch
    {
        DataType.Float or DataType.Complex64 => MemoryMarshal.AsBytes<float>(tensor.FloatData.ToArray()).ToArray(),
        DataType.Double or DataType.Complex128 => MemoryMarshal.AsBytes<double>(tensor.DoubleData.ToArray()).ToArray(),
        DataType.Int64 => MemoryMarshal.AsBytes<long>(tensor.Int64Data.ToArray()).ToArray(),
        DataType.Uint64 => MemoryMarshal.AsBytes<ulong>(tensor.Uint64Data.ToArray()).ToArray(),
        DataType.Uint32 => MemoryMarshal.AsBytes<uint>(tensor.Uint64Data.Select(value => (uint)value).ToArray()).ToArray(),
        DataType.Int32 => MemoryMarshal.AsBytes<int>(tensor.Int32Data.ToArray()).ToArray(),
        _ when TensorTypes.Bits(TensorTypes.Type(tensor)) == 16 =>
            MemoryMarshal.AsBytes<ushort>(tensor.Int32Data.Select(value => (ushort)value).ToArray()).ToArray(),
        _ => [.. tensor.Int32Data.Select(value => (byte)value)],
    };

    public void Dispose()
    {
        foreach (var file in _files.Values)
            file.Dispose();
    }
}
