using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Frameworks.ModelCatalog;

/// <summary>Reads <c>models.json</c>; a field that the types do not know is an error.</summary>
internal sealed record ModelTable(DateOnly AsOf, IReadOnlyList<OpenModel> Models)
{
    public static ModelTable Load()
    {
        using var stream = typeof(ModelTable).Assembly.GetManifestResourceStream("models.json")
            ?? throw new InvalidOperationException("models.json is not embedded in Cairn.Frameworks.");
        return JsonSerializer.Deserialize(stream, ModelTableJson.Default.ModelTable)!;
    }
}

/// <summary>Made at build time: the serializer's own set-up would take longer than reading the file.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    Converters = [
        typeof(Word<ModelKind>), typeof(Word<CommercialUse>), typeof(Word<ParameterSource>), typeof(Word<PublishedFormat>),
        typeof(Word<AttentionBias>), typeof(Word<QueryKeyNorm>),
    ])]
[JsonSerializable(typeof(ModelTable))]
internal sealed partial class ModelTableJson : JsonSerializerContext;

/// <summary>Enums as the file writes them: snake_case words, no numbers.</summary>
internal sealed class Word<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
