using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>What chat and plain completions ask alike of the output.</summary>
internal sealed record OutputSpec
{
    /// <summary>Null takes the only language model there is.</summary>
    public string? Model { get; init; }

    public required SamplingSpec Sampling { get; init; }

    public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Null leaves it to the context, or to the route's default.</summary>
    public int? MaximumTokens { get; init; }

    /// <summary>Outputs per prompt.</summary>
    public int Choices { get; init; } = 1;

    public bool Stream { get; init; }

    public bool IncludeUsage { get; init; }

    public bool IgnoreEnd { get; init; }

    public ConstraintSpec? Constraint { get; init; }

    /// <summary>Who asks, as the request tells it; for fairness.</summary>
    public string? User { get; init; }

    /// <summary>Bounds of one request's outputs together.</summary>
    public const int MostChoices = 128;
}
