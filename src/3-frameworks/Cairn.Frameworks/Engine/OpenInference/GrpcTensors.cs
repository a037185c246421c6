using System.Buffers;
using System.Buffers.Binary;
using System.Collections;
using System.Runtime.InteropServices;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Engine.Tensors;
using Google.Protobuf;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>
/// Tensors of gRPC messages: raw bytes, or typed fields. A request with raw inputs is answered raw, another typed where the type has a
/// field.
/// </summary>
internal static class GrpcTensors
{
    /// <exception cref="RefusedException">What is wrong.</exception>
    public static InferCall Read(ModelInferRequest request)
    {
        var raw = request.RawInputContents;
        if (raw.Count > 0 && raw.Count != request.Inputs.Count)
            throw RefusedException.Invalid($"raw_input_contents has {raw.Count} entries, inputs has {request.Inputs.Count}");
        if (request.Inputs.Count == 0)
            throw RefusedException.Invalid("the request has no inputs");
        var inputs = new Tensor[request.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = Read(request.Inputs[i], raw.Count > 0 ? raw[i].Memory : (ReadOnlyMemory<byte>?)null);
        return new()
        {
            Id = request.Id,
            Inputs = inputs,
            Outputs =
                [.. request.Outputs.Select(output =>
                    new RequestedOutput(output.Name, null, (int)Number(output.Parameters, "classification")))],
            Priority = (ulong)Number(request.Parameters, "priority"),
            TimeoutMicroseconds = (ulong)Number(request.Parameters, "timeout"),
        };
    }

    public static ModelInferResponse Write(ModelInferRequest request, ModelVersion version, Tensor[] outputs)
    {
        var response = new ModelInferResponse { ModelName = version.Name, ModelVersion = version.VersionText, Id = request.Id };
        // All or none: the 16-bit floats have no typed field.
        var raw = request.RawInputContents.Count > 0 || outputs.Any(output => output.Type is TensorType.Float16 or TensorType.BFloat16);
        foreach (var output in outputs)
        {
            var written = new ModelInferResponse.Types.InferOutputTensor { Name = output.Name, Datatype = output.Type.Name() };
            written.Shape.AddRange(output.Shape);
            if (raw)
                // The answer's memory is not written to again.
                response.RawOutputContents.Add(UnsafeByteOperations.UnsafeWrap(output.Data));
            else
                written.Contents = Contents(output);
            response.Outputs.Add(written);
        }

        return response;
    }

    private static Tensor Read(ModelInferRequest.Types.InferInputTensor input, ReadOnlyMemory<byte>? raw)
    {
        if (!TensorTypes.TryParse(input.Datatype, out var type))
            throw RefusedException.Invalid($"input '{input.Name}' has the datatype '{input.Datatype}', which is not one of the protocol's");
        if (input.Parameters.ContainsKey("shared_memory_region"))
            throw RefusedException.Invalid("shared memory is not served; send the tensor in the request");
        long[] shape = [.. input.Shape];
        if (raw is not null && input.Contents is not null && input.Contents.CalculateSize() > 0)
            throw RefusedException.Invalid($"input '{input.Name}' has contents although the request has raw_input_contents");
        var data = raw ?? Typed(input, type);
        TensorContents.Check(input.Name, type, shape, data.Span);
        return new(input.Name, type, shape, data);
    }

    private static ReadOnlyMemory<byte> Typed(ModelInferRequest.Types.InferInputTensor input, TensorType type)
    {
        var contents = input.Contents ?? new InferTensorContents();
        return type switch
        {
            TensorType.Bool => Bytes<bool>([.. contents.BoolContents]),
            TensorType.Int8 => Narrow(contents.IntContents, sbyte.MinValue, sbyte.MaxValue, 1, input.Name),
            TensorType.Int16 => Narrow(contents.IntContents, short.MinValue, short.MaxValue, 2, input.Name),
            TensorType.Int32 => Bytes<int>([.. contents.IntContents]),
            TensorType.Int64 => Bytes<long>([.. contents.Int64Contents]),
            TensorType.UInt8 => Narrow(contents.UintContents.Select(value => (long)value), 0, byte.MaxValue, 1, input.Name),
            TensorType.UInt16 => Narrow(contents.UintContents.Select(value => (long)value), 0, ushort.MaxValue, 2, input.Name),
            TensorType.UInt32 => Bytes<uint>([.. contents.UintContents]),
            TensorType.UInt64 => Bytes<ulong>([.. contents.Uint64Contents]),
            TensorType.Float32 => Bytes<float>([.. contents.Fp32Contents]),
            TensorType.Float64 => Bytes<double>([.. contents.Fp64Contents]),
            TensorType.Bytes => Framed(contents.BytesContents),
            _ => throw RefusedException.Invalid(
                $"input '{input.Name}' is {type.Name()}, which has no typed field; send it in raw_input_contents"),
        };
    }

    private static byte[] Bytes<T>(T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(values).ToArray();

    private static byte[] Narrow(IEnumerable<int> values, int least, int most, int size, string name) =>
        Narrow(values.Select(value => (long)value), least, most, size, name);

    private static byte[] Narrow(IEnumerable<long> values, long least, long most, int size, string name)
    {
        var bytes = new List<byte>();
        Span<byte> at = stackalloc byte[8];
        foreach (var value in values)
        {
            if (value < least || value > most)
                throw RefusedException.Invalid($"input '{name}' holds {value}, which its datatype does not");
            BinaryPrimitives.WriteInt64LittleEndian(at, value);
            bytes.AddRange(at[..size]);
        }

        return [.. bytes];
    }

    private static ReadOnlyMemory<byte> Framed(IEnumerable<ByteString> strings)
    {
        var writer = new ArrayBufferWriter<byte>();
        foreach (var text in strings)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(writer.GetSpan(4), (uint)text.Length);
            writer.Advance(4);
            writer.Write(text.Span);
        }

        return writer.WrittenMemory;
    }

    private static InferTensorContents Contents(Tensor tensor)
    {
        var contents = new InferTensorContents();
        var data = tensor.Data.Span;
        switch (tensor.Type)
        {
            case TensorType.Bool: Add(contents.BoolContents, data.ToArray().Select(value => value != 0)); break;
            case TensorType.Int8: Add(contents.IntContents, data.ToArray().Select(value => (int)(sbyte)value)); break;
            case TensorType.Int16: Add(contents.IntContents, Values<short>(data).Select(value => (int)value)); break;
            case TensorType.Int32: Add(contents.IntContents, Values<int>(data)); break;
            case TensorType.Int64: Add(contents.Int64Contents, Values<long>(data)); break;
            case TensorType.UInt8: Add(contents.UintContents, data.ToArray().Select(value => (uint)value)); break;
            case TensorType.UInt16: Add(contents.UintContents, Values<ushort>(data).Select(value => (uint)value)); break;
            case TensorType.UInt32: Add(contents.UintContents, Values<uint>(data)); break;
            case TensorType.UInt64: Add(contents.Uint64Contents, Values<ulong>(data)); break;
            case TensorType.Float32: Add(contents.Fp32Contents, Values<float>(data)); break;
            case TensorType.Float64: Add(contents.Fp64Contents, Values<double>(data)); break;
            default: Strings(contents.BytesContents, tensor); break;
        }

        return contents;
    }

    private static T[] Values<T>(ReadOnlySpan<byte> data)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(data).ToArray();

    private static void Add<T>(Google.Protobuf.Collections.RepeatedField<T> field, IEnumerable<T> values) => field.AddRange(values);

    private static void Strings(IList field, Tensor tensor)
    {
        for (var offset = 0; offset < tensor.Data.Length;)
        {
            var next = TensorContents.NextString(tensor.Data.Span, offset, tensor.Name);
            field.Add(ByteString.CopyFrom(tensor.Data.Span[(offset + 4)..next]));
            offset = next;
        }
    }

    private static long Number(IEnumerable<KeyValuePair<string, InferParameter>> parameters, string name)
    {
        foreach (var (key, value) in parameters)
            if (key == name)
                return value.ParameterChoiceCase switch
                {
                    InferParameter.ParameterChoiceOneofCase.Int64Param when value.Int64Param >= 0 =>
                        Math.Min(value.Int64Param, int.MaxValue),
                    InferParameter.ParameterChoiceOneofCase.Uint64Param => (long)Math.Min(value.Uint64Param, int.MaxValue),
                    _ => throw RefusedException.Invalid($"the parameter '{name}' is not a whole number of 0 or more"),
                };
        return 0;
    }
}
