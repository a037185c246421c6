using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>
/// A tensor's elements as JSON, flat or nested. What JSON has no number for goes as the strings "NaN", "Infinity" and "-Infinity"; the
/// 16-bit
/// floats go as numbers.
/// </summary>
internal static class TensorJson
{
    /// <summary>Reads the array at hand into <paramref name="data"/>.</summary>
    /// <returns>How many elements there were.</returns>
    public static int Read(ref Utf8JsonReader json, TensorType type, string name, PooledBytes data)
    {
        if (json.TokenType != JsonTokenType.StartArray)
            throw RefusedException.Invalid($"'data' of tensor '{name}' is not an array");
        var depth = 1;
        var count = 0;
        while (depth > 0)
        {
            json.Read();
            if (json.TokenType == JsonTokenType.StartArray)
                depth++;
            else if (json.TokenType == JsonTokenType.EndArray)
                depth--;
            else
            {
                Element(ref json, type, name, data);
                count++;
            }
        }

        return count;
    }

    public static void Write(Utf8JsonWriter json, Tensor tensor)
    {
        var data = tensor.Data.Span;
        json.WriteStartArray();
        if (tensor.Type == TensorType.Bytes)
            for (var offset = 0; offset < data.Length;)
            {
                var next = TensorContents.NextString(data, offset, tensor.Name);
                // Bytes that are no text become U+FFFD: JSON can carry nothing else. Binary output carries them whole.
                json.WriteStringValue(Encoding.UTF8.GetString(data[(offset + 4)..next]));
                offset = next;
            }
        else
            for (var offset = 0; offset < data.Length; offset += tensor.Type.Size())
                Number(json, tensor.Type, data[offset..]);
        json.WriteEndArray();
    }

    private static void Number(Utf8JsonWriter json, TensorType type, ReadOnlySpan<byte> at)
    {
        switch (type)
        {
            case TensorType.Bool: json.WriteBooleanValue(at[0] != 0); break;
            case TensorType.UInt8: json.WriteNumberValue((uint)at[0]); break;
            case TensorType.UInt16: json.WriteNumberValue((uint)BinaryPrimitives.ReadUInt16LittleEndian(at)); break;
            case TensorType.UInt32: json.WriteNumberValue(BinaryPrimitives.ReadUInt32LittleEndian(at)); break;
            case TensorType.UInt64: json.WriteNumberValue(BinaryPrimitives.ReadUInt64LittleEndian(at)); break;
            case TensorType.Int8: json.WriteNumberValue((int)(sbyte)at[0]); break;
            case TensorType.Int16: json.WriteNumberValue((int)BinaryPrimitives.ReadInt16LittleEndian(at)); break;
            case TensorType.Int32: json.WriteNumberValue(BinaryPrimitives.ReadInt32LittleEndian(at)); break;
            case TensorType.Int64: json.WriteNumberValue(BinaryPrimitives.ReadInt64LittleEndian(at)); break;
            case TensorType.Float16: Float(json, (float)BinaryPrimitives.ReadHalfLittleEndian(at)); break;
            case TensorType.BFloat16: Float(json, BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(at) << 16)); break;
            case TensorType.Float32: Float(json, BinaryPrimitives.ReadSingleLittleEndian(at)); break;
            default: Double(json, BinaryPrimitives.ReadDoubleLittleEndian(at)); break;
        }
    }

    private static void Float(Utf8JsonWriter json, float value)
    {
        if (float.IsFinite(value))
            json.WriteNumberValue(value);
        else
            Double(json, value);
    }

    private static void Double(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteStringValue(double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }

    private static void Element(ref Utf8JsonReader json, TensorType type, string name, PooledBytes data)
    {
        if (type == TensorType.Bytes)
        {
            String(ref json, name, data);
            return;
        }

        var at = data.GetSpan(8);
        if (!(type >= TensorType.Float16 ? Floating(ref json, type, at) : Whole(ref json, type, at)))
            throw RefusedException.Invalid($"tensor '{name}': {Shown(ref json)} is no {type.Name()}");
        data.Advance(type.Size());
    }

    private static bool Whole(ref Utf8JsonReader json, TensorType type, Span<byte> at)
    {
        if (type == TensorType.Bool)
        {
            at[0] = json.TokenType == JsonTokenType.True ? (byte)1 : (byte)0;
            if (json.TokenType is JsonTokenType.True or JsonTokenType.False)
                return true;
            return json.TokenType == JsonTokenType.Number && json.TryGetByte(out at[0]) && at[0] <= 1;
        }

        if (json.TokenType != JsonTokenType.Number)
            return false;
        if (type == TensorType.UInt64)
        {
            var fits = json.TryGetUInt64(out var unsigned);
            BinaryPrimitives.WriteUInt64LittleEndian(at, unsigned);
            return fits;
        }

        if (!json.TryGetInt64(out var value))
            return false;
        // The low bytes are the value in every narrower type that holds it.
        BinaryPrimitives.WriteInt64LittleEndian(at, value);
        return type switch
        {
            TensorType.UInt8 => value is >= 0 and <= byte.MaxValue,
            TensorType.UInt16 => value is >= 0 and <= ushort.MaxValue,
            TensorType.UInt32 => value is >= 0 and <= uint.MaxValue,
            TensorType.Int8 => value is >= sbyte.MinValue and <= sbyte.MaxValue,
            TensorType.Int16 => value is >= short.MinValue and <= short.MaxValue,
            TensorType.Int32 => value is >= int.MinValue and <= int.MaxValue,
            _ => true,
        };
    }

    private static bool Floating(ref Utf8JsonReader json, TensorType type, Span<byte> at)
    {
        if (type == TensorType.Float32 && json.TokenType == JsonTokenType.Number)
        {
            // Straight to single: by way of double a value near a midpoint would be rounded twice.
            var reads = json.TryGetSingle(out var single) && float.IsFinite(single);
            BinaryPrimitives.WriteSingleLittleEndian(at, single);
            return reads;
        }

        double value;
        if (json.TokenType == JsonTokenType.Number)
        {
            if (!json.TryGetDouble(out value) || !double.IsFinite(value))
                return false;
        }
        else if (json.TokenType == JsonTokenType.String && (json.ValueTextEquals("NaN"u8) || json.ValueTextEquals("nan"u8)))
            value = double.NaN;
        else if (json.TokenType == JsonTokenType.String && json.ValueTextEquals("Infinity"u8))
            value = double.PositiveInfinity;
        else if (json.TokenType == JsonTokenType.String && json.ValueTextEquals("-Infinity"u8))
            value = double.NegativeInfinity;
        else
            return false;
        switch (type)
        {
            case TensorType.Float64: BinaryPrimitives.WriteDoubleLittleEndian(at, value); break;
            case TensorType.Float32: BinaryPrimitives.WriteSingleLittleEndian(at, (float)value); break;
            case TensorType.Float16: BinaryPrimitives.WriteHalfLittleEndian(at, (Half)value); break;
            default: BinaryPrimitives.WriteUInt16LittleEndian(at, Truncate((float)value)); break;
        }

        return true;
    }

    /// <summary>The upper half of a single, rounded to nearest, ties to even; a NaN stays one.</summary>
    private static ushort Truncate(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static void String(ref Utf8JsonReader json, string name, PooledBytes data)
    {
        if (json.TokenType != JsonTokenType.String)
            throw RefusedException.Invalid($"tensor '{name}': {Shown(ref json)} is no string");
        var longest = json.HasValueSequence ? checked((int)json.ValueSequence.Length) : json.ValueSpan.Length;
        var at = data.GetSpan(longest + 4);
        var length = json.CopyString(at[4..]);
        BinaryPrimitives.WriteUInt32LittleEndian(at, (uint)length);
        data.Advance(length + 4);
    }

    private static string Shown(ref Utf8JsonReader json)
    {
        var text = json.HasValueSequence ? json.ValueSequence.ToArray() : json.ValueSpan;
        return text.Length == 0 ? json.TokenType.ToString() : $"'{Encoding.UTF8.GetString(text[..Math.Min(text.Length, 32)])}'";
    }
}
