using System.Globalization;
using System.Runtime.InteropServices;
using Cairn.Frameworks.Onnx.Proto;
using Google.Protobuf;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Onnx;

/// <summary>
/// Writes a model and its tensors: small ones into the model's file, larger ones one after another into a file beside it, named with
/// ".data".
/// </summary>
/// <param name="path">The model's file.</param>
/// <param name="insideUpTo">Tensors of more bytes become external data.</param>
internal sealed class OnnxWriter(string path, long insideUpTo = 1024) : IDisposable
{
    /// <summary>Page size: what a reader that maps the file needs (ExternalData.md).</summary>
    private const int Alignment = 4096;

    private readonly HashSet<TensorProto> _written = new(ReferenceEqualityComparer.Instance);
    private FileStream? _data;

    private string DataPath => path + ".data";

    /// <summary>A tensor of raw bytes.</summary>
    internal TensorProto Tensor(string name, DataType type, ReadOnlySpan<long> dims, ReadOnlySpan<byte> bytes)
    {
        var tensor = Describe(name, type, dims, bytes.Length);
        if (bytes.Length <= insideUpTo)
        {
            tensor.RawData = ByteString.CopyFrom(bytes);
            return tensor;
        }
        StartExternal(tensor, bytes.Length).Write(bytes);
        return tensor;
    }

    /// <summary>A tensor that <paramref name="write"/> streams in parts: exactly <paramref name="length"/> bytes.</summary>
    internal TensorProto Tensor(string name, DataType type, ReadOnlySpan<long> dims, long length, Action<Stream> write)
    {
        var tensor = Describe(name, type, dims, length);
        if (length <= insideUpTo)
        {
            using var memory = new MemoryStream();
            write(memory);
            Check(name, length, memory.Length);
            tensor.RawData = ByteString.CopyFrom(memory.GetBuffer().AsSpan(0, (int)memory.Length));
            return tensor;
        }
        var stream = StartExternal(tensor, length);
        var start = stream.Position;
        write(stream);
        Check(name, length, stream.Position - start);
        return tensor;
    }

    internal TensorProto Floats(string name, ReadOnlySpan<long> dims, float[] values) =>
        Tensor(name, DataType.Float, dims, values.LongLength * 4, stream =>
        {
            for (var done = 0; done < values.Length; done += 1 << 20)
                stream.Write(MemoryMarshal.AsBytes(values.AsSpan(done, Math.Min(1 << 20, values.Length - done))));
        });

    internal TensorProto Halves(string name, ReadOnlySpan<long> dims, float[] values) =>
        Tensor(name, DataType.Float16, dims, values.LongLength * 2, stream =>
        {
            var part = new Half[Math.Min(1 << 16, values.Length)];
            for (var done = 0; done < values.Length; done += part.Length)
            {
                var count = Math.Min(part.Length, values.Length - done);
                System.Numerics.Tensors.TensorPrimitives.ConvertToHalf(values.AsSpan(done, count), part);
                stream.Write(MemoryMarshal.AsBytes(part.AsSpan(0, count)));
            }
        });

    internal TensorProto Longs(string name, ReadOnlySpan<long> dims, params ReadOnlySpan<long> values) =>
        Tensor(name, DataType.Int64, dims, MemoryMarshal.AsBytes(values));

    /// <summary>Whether this writer has written a tensor's data.</summary>
    internal bool Wrote(TensorProto tensor) => _written.Contains(tensor);

    /// <summary>Copies the data of a tensor that describes it as external from where it was, and describes its new place.</summary>
    internal void Take(TensorProto tensor, TensorReader reader)
    {
        var length = TensorTypes.ByteLength(tensor);
        var part = new byte[(int)Math.Min(length, 1 << 20)];
        var copy = Tensor(tensor.Name, TensorTypes.Type(tensor), [.. tensor.Dims], length, stream =>
        {
            for (var done = 0L; done < length; done += part.Length)
            {
                var bytes = part.AsSpan(0, (int)Math.Min(part.Length, length - done));
                reader.Read(tensor, done, bytes);
                stream.Write(bytes);
            }
        });
        tensor.ExternalData.Clear();
        tensor.ClearDataLocation();
        tensor.ExternalData.Add(copy.ExternalData);
        if (copy.HasDataLocation)
            tensor.DataLocation = copy.DataLocation;
        else
            tensor.RawData = copy.RawData;
        _written.Add(tensor);
    }

    /// <summary>Writes the model's file, after its data.</summary>
    internal void Finish(ModelProto model)
    {
        _data?.Flush(flushToDisk: true);
        OnnxFile.Write(model, path);
    }

    private static TensorProto Describe(string name, DataType type, ReadOnlySpan<long> dims, long length)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, Dims = { dims.ToArray() } };
        Check(name, TensorTypes.ByteLength(tensor), length);
        return tensor;
    }

    private static void Check(string name, long expected, long actual)
    {
        if (expected != actual)
            throw new ArgumentException($"tensor '{name}' was given {actual} bytes; its shape needs {expected}");
    }

    private FileStream StartExternal(TensorProto tensor, long length)
    {
        _data ??= new FileStream(DataPath, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        var offset = (_data.Position + Alignment - 1) / Alignment * Alignment;
        _data.Seek(offset, SeekOrigin.Begin);
        _written.Add(tensor);
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
        Add("location", Path.GetFileName(DataPath));
        Add("offset", offset.ToString(CultureInfo.InvariantCulture));
        Add("length", length.ToString(CultureInfo.InvariantCulture));
        return _data;

        void Add(string key, string value) => tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
    }

    public void Dispose() => _data?.Dispose();
}
