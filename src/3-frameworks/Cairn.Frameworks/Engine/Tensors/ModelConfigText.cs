using System.Globalization;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Reads <c>config.pbtxt</c>: protobuf's text format for <see cref="ModelConfig"/>.</summary>
internal sealed class ModelConfigText
{
    /// <summary>A configuration is small; more is a mistake or an attack.</summary>
    public const int BytesLimit = 1 << 20;

    private const int DepthLimit = 16;

    private readonly TextFormatTokens _tokens;

    private ModelConfigText(string text, string file) => _tokens = new(text, file);

    /// <exception cref="ModelLoadException">With file, line and what was expected.</exception>
    public static ModelConfig Parse(string text, string file)
    {
        if (text.Length > BytesLimit)
            throw new ModelLoadException($"{file} is longer than {BytesLimit} characters");
        var config = new ModelConfig();
        new ModelConfigText(text, file).Fields(config, closing: null, depth: 0);
        return config;
    }

    private void Fields(IMessage message, string? closing, int depth)
    {
        if (depth > DepthLimit)
            throw _tokens.Error($"messages are nested deeper than {DepthLimit}");
        while (true)
        {
            if (_tokens.Current.Length == 0)
            {
                if (closing is not null)
                    throw _tokens.Error($"'{closing}' is missing at the end");
                return;
            }

            if (_tokens.Current == closing)
            {
                _tokens.Next();
                return;
            }

            Field(message, depth);
            if (_tokens.Current is "," or ";")
                _tokens.Next();
        }
    }

    private void Field(IMessage message, int depth)
    {
        var name = _tokens.Current;
        var field = message.Descriptor.FindFieldByName(name)
            ?? throw _tokens.Error($"'{name}' is not a field of {message.Descriptor.Name} that Cairn knows");
        _tokens.Next();
        var colon = _tokens.Skip(":");
        if (!colon && field.FieldType != FieldType.Message)
            throw _tokens.Error($"':' is expected after '{name}'");
        if (field.IsRepeated && _tokens.Skip("["))
        {
            while (!_tokens.Skip("]"))
            {
                Value(message, field, depth);
                if (!_tokens.Skip(",") && _tokens.Current != "]")
                    throw _tokens.Error("',' or ']' is expected");
            }

            return;
        }

        if (!field.IsRepeated && field.FieldType != FieldType.Message && field.RealContainingOneof is null && Seen(message, field))
            throw _tokens.Error($"'{name}' is given twice");
        Value(message, field, depth);
    }

    private static bool Seen(IMessage message, FieldDescriptor field) =>
        field.Accessor.GetValue(message) is { } value && !value.Equals(field.Accessor.GetValue(field.ContainingType.Parser.ParseFrom([])));

    private void Value(IMessage message, FieldDescriptor field, int depth)
    {
        if (field.FieldType != FieldType.Message)
        {
            Add(message, field, Scalar(field));
            return;
        }

        var closing = _tokens.Skip("{") ? "}" : _tokens.Skip("<") ? ">" : throw _tokens.Error($"'{{' is expected after '{field.Name}'");
        if (field.IsMap)
        {
            MapEntry(message, field, closing, depth);
            return;
        }

        var merged = field.IsRepeated ? null : (IMessage?)field.Accessor.GetValue(message);
        var child = merged ?? field.MessageType.Parser.ParseFrom([]);
        Fields(child, closing, depth + 1);
        if (merged is null)
            Add(message, field, child);
    }

    private void MapEntry(IMessage message, FieldDescriptor field, string closing, int depth)
    {
        var (keyField, valueField) = (field.MessageType.FindFieldByNumber(1), field.MessageType.FindFieldByNumber(2));
        object? key = null;
        object? value = null;
        while (!_tokens.Skip(closing))
        {
            var part = _tokens.Current;
            _tokens.Next();
            _tokens.Skip(":");
            if (part == "key")
                key = Scalar(keyField);
            else if (part == "value" && valueField.FieldType != FieldType.Message)
                value = Scalar(valueField);
            else if (part == "value")
            {
                var child = valueField.MessageType.Parser.ParseFrom([]);
                var end = _tokens.Skip("{") ? "}" : _tokens.Skip("<") ? ">" : throw _tokens.Error("'{' is expected after 'value'");
                Fields(child, end, depth + 1);
                value = child;
            }
            else
                throw _tokens.Error($"'key' or 'value' is expected in '{field.Name}', not '{part}'");
            if (_tokens.Current is "," or ";")
                _tokens.Next();
        }

        if (key is null || value is null)
            throw _tokens.Error($"an entry of '{field.Name}' takes a key and a value");
        ((System.Collections.IDictionary)field.Accessor.GetValue(message))[key] = value;
    }

    private static void Add(IMessage message, FieldDescriptor field, object value)
    {
        if (field.IsRepeated)
            ((System.Collections.IList)field.Accessor.GetValue(message)).Add(value);
        else
            field.Accessor.SetValue(message, value);
    }

    private object Scalar(FieldDescriptor field)
    {
        if (field.FieldType is FieldType.String)
            return _tokens.String();
        var word = _tokens.Current;
        var invariant = CultureInfo.InvariantCulture;
        object? value = field.FieldType switch
        {
            FieldType.Bool => word switch { "true" or "1" or "t" or "True" => true, "false" or "0" or "f" or "False" => false, _ => null },
            FieldType.Int32 when int.TryParse(word, NumberStyles.AllowLeadingSign, invariant, out var number) => number,
            FieldType.Int64 when long.TryParse(word, NumberStyles.AllowLeadingSign, invariant, out var number) => number,
            FieldType.UInt32 when uint.TryParse(word, NumberStyles.None, invariant, out var number) => number,
            FieldType.UInt64 when ulong.TryParse(word, NumberStyles.None, invariant, out var number) => number,
            FieldType.Enum when field.EnumType.FindValueByName(word) is { } named => named.Number,
            _ => null,
        };
        if (value is null)
            throw _tokens.Error($"'{word}' is no value for '{field.Name}' ({field.FieldType})");
        _tokens.Next();
        return field.FieldType == FieldType.Enum ? Enum.ToObject(field.EnumType.ClrType, (int)value) : value;
    }
}
