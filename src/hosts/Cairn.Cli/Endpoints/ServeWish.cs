using Cairn.Cli.CommandLine;
using Cairn.Frameworks.Recipes.Serving;

namespace Cairn.Cli.Endpoints;

/// <summary>
/// What a person says of the engine and of the machines that a model shall have; nothing of it holds for a workload file, which says all
/// itself.
/// </summary>
internal sealed record ServeWish
{
    /// <summary>The endpoint's name; null takes the thing's own.</summary>
    public string? Name { get; init; }

    public string? Engine { get; init; }

    /// <summary>Accelerators of a replica, such as <c>H100</c> or <c>L4:2</c>.</summary>
    public string? Gpu { get; init; }

    /// <summary>What the engine loads in place of the publisher's repository.</summary>
    public string? Weights { get; init; }

    public string? Precision { get; init; }

    public string? Slo { get; init; }

    /// <summary>Tokens that each sequence has room for.</summary>
    public int? Context { get; init; }

    /// <summary>Sequences at once per replica.</summary>
    public int? Concurrency { get; init; }

    public bool Spot { get; init; }

    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Whether anything was said that a workload file says itself.</summary>
    public bool IsOfEngine => Engine is not null || Gpu is not null || Weights is not null || Precision is not null || Slo is not null || Concurrency is not null || Spot;

    /// <exception cref="CliException">There is no recipe of that name.</exception>
    public static ServingRecipe Recipe(string engine) => ServingRecipes.Find(engine)
        ?? throw new CliException(ExitCodes.Usage, $"--engine is '{engine}'; expected {string.Join(", ", ServingRecipes.All.Select(r => r.Name))}.");
}
