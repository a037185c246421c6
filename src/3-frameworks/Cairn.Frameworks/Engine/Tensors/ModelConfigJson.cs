using System.Collections;
using System.Text.Json;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>
/// A model configuration as JSON the way Triton shows it: the schema's own names, defaults written out, and 64-bit numbers as numbers
/// (protobuf's canonical JSON has them as strings).
/// </summary>
internal static class ModelConfigJson
{
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithRecursionLimit(16));

    /// <exception cref="ModelLoadException">Not JSON, or a field that Cairn does not know.</exception>
    public static ModelConfig Parse(string json)
    {
        try
        {
            return Parser.Parse<ModelConfig>(json);
        }
        catch (Exception failure) when (failure is InvalidProtocolBufferException or InvalidJsonException)
        {
            throw new ModelLoadException($"the configuration given with the load cannot be read: {failure.Message}", failure);
        }
    }

    public static void Write(Utf8JsonWriter writer, IMessage message)
    {
        writer.WriteStartObject();
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var value = field.Accessor.GetValue(message);
            var absent = field.HasPresence ? !field.Accessor.HasValue(message) : false;
            if (absent)
                continue;
            writer.WritePropertyName(field.Name);
            if (field.IsMap)
                Map(writer, field, (IDictionary)value);
            else if (field.IsRepeated)
                List(writer, field, (IList)value);
            else
                Value(writer, field, value);
        }

        writer.WriteEndObject();
    }

    private static void List(Utf8JsonWriter writer, FieldDescriptor field, IList values)
    {
        writer.WriteStartArray();
        foreach (var value in values)
            Value(writer, field, value!);
        writer.WriteEndArray();
    }

    private static void Map(Utf8JsonWriter writer, FieldDescriptor field, IDictionary entries)
    {
        writer.WriteStartObject();
        foreach (DictionaryEntry entry in entries)
        {
            writer.WritePropertyName(Convert.ToString(entry.Key, System.Globalization.CultureInfo.InvariantCulture)!);
            Value(writer, field.MessageType.FindFieldByNumber(2), entry.Value!);
        }

        writer.WriteEndObject();
    }

    private static void Value(Utf8JsonWriter writer, FieldDescriptor field, object value)
    {
        switch (value)
        {
            case IMessage message:
                Write(writer, message);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case Enum:
                var number = Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture);
                writer.WriteStringValue(field.EnumType.FindValueByNumber(number)?.Name ?? "");
                break;
            case ulong unsigned:
                writer.WriteNumberValue(unsigned);
                break;
            default:
                writer.WriteNumberValue(Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
        }
    }
}
