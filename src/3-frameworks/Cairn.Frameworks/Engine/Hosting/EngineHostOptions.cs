using System.Net;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>How an engine process is started.</summary>
public sealed class EngineHostOptions
{
    /// <summary>Where HTTP/1.1 answers; loopback only. Default 127.0.0.1:8000; port 0 takes a free one.</summary>
    public IPEndPoint Http { get; set; } = new(IPAddress.Loopback, 8000);

    /// <summary>Where gRPC answers, HTTP/2 without TLS; loopback only. Null turns it off. Default 127.0.0.1:8001; port 0 takes a free
    /// one.</summary>
    public IPEndPoint? Grpc { get; set; } = new(IPAddress.Loopback, 8001);

    /// <summary>What is loaded at the start; at most 64. More can come and go while the process runs.</summary>
    public IList<ModelSource> Models { get; set; } = [];

    /// <summary>ONNX models of any other kind, served by the Open Inference Protocol. Default: none.</summary>
    public TensorOptions Tensors { get; set; } = new();

    /// <summary>The longest request body, bytes; 1 KiB to 1 GiB, default 64 MiB. OpenAI's routes take at most 16 MiB of it.</summary>
    public long MaxBodyBytes { get; set; } = 64L << 20;

    /// <summary>How long requests under way may go on once the process is asked to stop, seconds; 0 to 600, default 10.</summary>
    public int DrainSeconds { get; set; } = 10;

    /// <summary>How long the one-token generation behind <c>/health</c> may take, seconds; 1 to 60, default 5.</summary>
    public int HealthTimeoutSeconds { get; set; } = 5;

    /// <summary>Everything that is wrong with these options, one sentence each; empty when they are good.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        CheckLoopback(errors, nameof(Http), Http);
        if (Grpc is not null)
        {
            CheckLoopback(errors, nameof(Grpc), Grpc);
            if (Http is not null && Http.Port != 0 && Http.Port == Grpc.Port)
                errors.Add($"Http and Grpc are both on port {Http.Port}; without TLS they need two ports.");
        }

        Check(errors, nameof(MaxBodyBytes), MaxBodyBytes, 1 << 10, 1L << 30);
        Check(errors, nameof(DrainSeconds), DrainSeconds, 0, 600);
        Check(errors, nameof(HealthTimeoutSeconds), HealthTimeoutSeconds, 1, 60);
        CheckModels(errors);
        errors.AddRange(Tensors.Problems());
        return errors;
    }

    private void CheckModels(List<string> errors)
    {
        if (Models.Count > 64)
            errors.Add($"Models are {Models.Count}; expected at most 64.");
        foreach (var model in Models)
        {
            if (string.IsNullOrWhiteSpace(model.Name) || model.Name.Length > 256 || model.Name.Any(char.IsControl))
                errors.Add($"A model's name is '{model.Name}'; expected 1 to 256 characters, none of them a control character.");
            if (!Directory.Exists(model.Folder))
                errors.Add($"Model {model.Name}: there is no folder {model.Folder}.");
            errors.AddRange(model.Engine.Problems().Select(problem => $"Model {model.Name}: {problem}"));
        }

        foreach (var twice in Models.GroupBy(model => model.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
            errors.Add($"{twice.Count()} models are named {twice.Key}; each needs a name of its own.");
    }

    private static void CheckLoopback(List<string> errors, string name, IPEndPoint? endPoint)
    {
        if (endPoint is null || !IPAddress.IsLoopback(endPoint.Address))
            errors.Add($"{name} is {endPoint}; the engine has no keys and no TLS, so it listens on loopback only: 127.0.0.1 or ::1. A gateway reaches beyond.");
    }

    private static void Check(List<string> errors, string name, long value, long least, long most)
    {
        if (value < least || value > most)
            errors.Add($"{name} is {value}; expected {least} to {most}.");
    }
}

/// <summary>A model to load: the name that requests give, its folder, and how it runs.</summary>
public sealed record ModelSource(string Name, string Folder, EngineOptions Engine);
