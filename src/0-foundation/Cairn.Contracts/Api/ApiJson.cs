using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Api;

/// <summary>How the REST API, the CLI's <c>--json</c> and JSON columns are written: snake_case, enums as snake_case words, no nulls.</summary>
public static class ApiJson
{
    public static readonly JsonSerializerOptions Compact = Make(indented: false);

    public static readonly JsonSerializerOptions Indented = Make(indented: true);

    /// <summary>Applies the same rules to options that a host owns.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = null;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower));
        options.Converters.Add(new TypedIdJsonConverterFactory());
    }

    private static JsonSerializerOptions Make(bool indented)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = indented };
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
