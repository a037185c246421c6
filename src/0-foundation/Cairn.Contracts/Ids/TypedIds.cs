using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Contracts.Ids;

/// <summary>An id of one kind of thing: a UUIDv7, so that ids sort by the time of their making.</summary>
public interface ITypedId<TSelf> where TSelf : struct, ITypedId<TSelf>
{
    Guid Value { get; }

    static abstract TSelf From(Guid value);
}

/// <summary>What every typed id can do: be made, parsed and written.</summary>
public static class TypedId
{
    /// <summary>A new id whose time part is <paramref name="now"/>.</summary>
    public static T New<T>(DateTimeOffset now) where T : struct, ITypedId<T> => T.From(TimeOrderedUuid.New(now));

    public static T Parse<T>(string text) where T : struct, ITypedId<T> => T.From(Guid.Parse(text));

    public static bool TryParse<T>([NotNullWhen(true)] string? text, out T id) where T : struct, ITypedId<T>
    {
        var parsed = Guid.TryParse(text, out var value);
        id = T.From(value);
        return parsed;
    }
}

/// <summary>Reads and writes every <see cref="ITypedId{TSelf}"/> as its UUID text.</summary>
public sealed class TypedIdJsonConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsValueType && Array.Exists(typeToConvert.GetInterfaces(),
            i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(ITypedId<>));

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(TypedIdJsonConverter<>).MakeGenericType(typeToConvert))!;

    private sealed class TypedIdJsonConverter<T> : JsonConverter<T> where T : struct, ITypedId<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => T.From(reader.GetGuid());

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);

        public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            T.From(Guid.Parse(reader.GetString()!));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WritePropertyName(value.Value.ToString());
    }
}
