using System.Text;
using Cairn.Contracts.Workloads;

namespace Cairn.Frameworks.Recipes.Serving;

/// <summary>What an engine's workload asks of its place beside the engine itself.</summary>
public sealed record ServingPlace
{
    /// <summary>Of the workload: lower-case letters, digits and hyphens.</summary>
    public required string Name { get; init; }

    /// <summary>What each replica takes; no accelerators where the engine is to use none.</summary>
    public ResourceSpec Resources { get; init; } = new();

    /// <summary>A local folder that is uploaded to every node; null uploads nothing.</summary>
    public string? Workdir { get; init; }

    /// <summary>Names of secrets that the engine sees as environment variables, such as a token for downloads.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Allows machines that can be taken away.</summary>
    public bool Interruptible { get; init; }

    /// <summary>The time to first token that users should see, in milliseconds; null promises none.</summary>
    public double? TimeToFirstTokenMs { get; init; }
}

/// <summary>Whether an engine can be a workload so: <see cref="Made"/> or <see cref="Refused"/>.</summary>
public abstract record ServingJob
{
    private ServingJob()
    {
    }

    public sealed record Made(WorkloadSpec Workload) : ServingJob;

    /// <param name="Problems">All of them, in words.</param>
    public sealed record Refused(IReadOnlyList<string> Problems) : ServingJob;
}

/// <summary>
/// Turns a recipe and what is to be served into a workload that Cairn places like any other. Pure. The engine listens where its node says
/// (<c>$PORT</c>, and <c>$GRPC_PORT</c> where it speaks that), so replicas share machines; where its program is missing the setup says
/// which image holds it.
/// </summary>
public static class ServingWorkload
{
    // Of Unicode's private use: no path or name that people write has them.
    private const string Port = "\uE000";
    private const string GrpcPort = "\uE001";
    private const string PortAfter = "\uE002";
    private static readonly (string Mark, string Shell)[] s_marks =
        [(Port, "\"$PORT\""), (GrpcPort, "\"$GRPC_PORT\""), (PortAfter, "\"$((PORT + 2))\"")];

    private const int UsualPort = 8000;

    /// <param name="recipe">The engine.</param>
    /// <param name="start">What it serves; its host and port are not read.</param>
    /// <param name="place">Where.</param>
    public static ServingJob Of(ServingRecipe recipe, ServingStart start, ServingPlace place)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(place);
        start = start with { Host = "127.0.0.1", Port = UsualPort };
        var problems = ServingRecipeRendering.Problems(recipe, start).ToList();
        if (start.Layout.Stages > 1)
            problems.Add($"a replica is one machine; {start.Layout.Stages} are wanted.");
        if (problems.Count > 0)
            return new ServingJob.Refused(problems);
        return new ServingJob.Made(new WorkloadSpec
        {
            Name = place.Name,
            Kind = WorkloadKind.Serve,
            Resources = place.Resources,
            Where = new WhereSpec { Interruptible = place.Interruptible },
            Workdir = place.Workdir,
            Secrets = place.Secrets,
            Setup = Setup(recipe),
            Run = Script(recipe, start),
            StopGraceSeconds = recipe.Drain.GraceSeconds,
            Service = new ServiceSpec
            {
                Port = UsualPort, ReadinessPath = recipe.Ready.Path, Model = NameOf(recipe, start), TimeToFirstTokenMs = place.TimeToFirstTokenMs,
            },
        });
    }

    /// <summary>The name by which the engine answers: the one that it is told, else that of the weights.</summary>
    private static string NameOf(ServingRecipe recipe, ServingStart start) =>
        start.Name is { } name && recipe.Arguments.Any(argument => argument.Contains("{name}")) ? name : start.Model;

    private static string? Setup(ServingRecipe recipe)
    {
        if (IsCairn(recipe))
            return null;
        var program = recipe.Command[0];
        var image = recipe.Image is { } name ? $" The image {name} holds it." : "";
        return $"command -v {program} >/dev/null || {{ echo {Quoted($"{recipe.Title} is not on this node: there is no program '{program}'.{image}")} >&2; exit 127; }}\n";
    }

    private static string Script(ServingRecipe recipe, ServingStart start)
    {
        var words = ServingRecipeRendering.Words(start);
        (words["port"], words["grpc_port"], words["port+2"]) = (Port, GrpcPort, PortAfter);
        var (arguments, environment) = ServingRecipeRendering.Fill(recipe, start, words);
        var script = new StringBuilder();
        if (recipe.DownloadsWeights)
            script.Append("export HF_HOME=\"${HF_HOME:-$PWD/huggingface}\"\n");
        foreach (var (name, value) in environment)
            script.Append("export ").Append(name).Append('=').Append(Word(value)).Append('\n');
        var program = IsCairn(recipe) ? "\"$CAIRN_PROGRAM\"" : Word(arguments[0]);
        return script.Append("exec ").Append(program).Append(' ').AppendJoin(' ', arguments.Skip(1).Select(Word)).Append('\n').ToString();
    }

    private static bool IsCairn(ServingRecipe recipe) => recipe.Command[0] == "cairn";

    /// <summary>One word of a POSIX shell, with ports left for it to fill in.</summary>
    private static string Word(string text)
    {
        var word = Quoted(text);
        foreach (var (mark, shell) in s_marks)
            word = word.Replace(mark, text == mark ? shell : $"'{shell}'", StringComparison.Ordinal);
        return s_marks.Any(mark => mark.Mark == text) ? word.Trim('\'') : word;
    }

    private static string Quoted(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or ',' or '=' or '+' or '@')
            ? text
            : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
