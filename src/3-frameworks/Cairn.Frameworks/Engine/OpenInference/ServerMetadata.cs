using System.Reflection;
using System.Text.Json;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>What both faces tell of the server and of a model.</summary>
internal static class ServerMetadata
{
    public const string Name = "cairn";

    public static string Version { get; } =
        typeof(ServerMetadata).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    /// <summary>Triton's names of what is served beyond the protocol.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
    [
        "classification", "model_repository", "model_repository(unload_dependents)", "schedule_policy", "model_configuration",
        "binary_tensor_data", "parameters", "statistics", "generate",
    ];

    public static void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, Name);
        json.WriteString("version"u8, Version);
        json.WriteStartArray("extensions"u8);
        foreach (var extension in Extensions)
            json.WriteStringValue(extension);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static ModelMetadataResponse Of(ModelVersion model, IEnumerable<ModelVersion> versions)
    {
        var metadata = new ModelMetadataResponse { Name = model.Name, Platform = model.Config.Platform };
        metadata.Versions.AddRange(versions.Select(version => version.VersionText));
        var batched = model.Config.MaxBatchSize > 0;
        foreach (var input in model.Config.Input)
            metadata.Inputs.Add(Tensor(input.Name, input.DataType, input.Dims, batched));
        foreach (var output in model.Config.Output)
            metadata.Outputs.Add(Tensor(output.Name, output.DataType, output.Dims, batched));
        return metadata;
    }

    private static ModelMetadataResponse.Types.TensorMetadata Tensor(string name, DataType type, IEnumerable<long> dims, bool batched)
    {
        var tensor = new ModelMetadataResponse.Types.TensorMetadata { Name = name, Datatype = TensorTypes.From(type)!.Value.Name() };
        if (batched)
            tensor.Shape.Add(-1);
        tensor.Shape.AddRange(dims);
        return tensor;
    }
}

/// <summary>A language model as the protocol shows one: text in, text out.</summary>
internal static class LanguageMetadata
{
    public static ModelMetadataResponse Of(ServedLanguageModel model)
    {
        var metadata = new ModelMetadataResponse { Name = model.Name, Platform = "cairn_language_model", Versions = { "1" } };
        metadata.Inputs.Add(new ModelMetadataResponse.Types.TensorMetadata { Name = "text_input", Datatype = "BYTES", Shape = { 1 } });
        metadata.Outputs.Add(new ModelMetadataResponse.Types.TensorMetadata { Name = "text_output", Datatype = "BYTES", Shape = { 1 } });
        return metadata;
    }
}
