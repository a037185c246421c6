using Cairn.Contracts.Workloads.Reading;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads;

/// <summary>
/// Reads workload files: Cairn's own form, and SkyPilot's tasks and dstack's configurations as sugar over it. Pure: bytes in, a result
/// out, no exception and no file access; time and memory are bounded whatever the bytes are (<c>docs/workload-file.md</c> has the limits).
/// </summary>
public static class WorkloadParser
{
    /// <param name="bytes">The file, UTF-8.</param>
    /// <param name="fileName">For messages, and for the name of a workload that has none: <c>jobs/train.yaml</c> is <c>train</c>.</param>
    /// <param name="options">What the parser may know besides the file.</param>
    public static WorkloadParseResult Parse(ReadOnlySpan<byte> bytes, string fileName, WorkloadParserOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        var findings = new Findings(fileName);
        return Parse(SourceText.Decode(bytes, findings), findings, fileName, options);
    }

    /// <inheritdoc cref="Parse(ReadOnlySpan{byte}, string, WorkloadParserOptions?)"/>
    /// <param name="text">The file's text.</param>
    /// <param name="fileName">For messages and a default name.</param>
    /// <param name="options">What the parser may know besides the file.</param>
    public static WorkloadParseResult Parse(string text, string fileName, WorkloadParserOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(fileName);
        var findings = new Findings(fileName);
        return Parse(SourceText.Check(text, findings), findings, fileName, options);
    }

    private static WorkloadParseResult Parse(string? text, Findings findings, string fileName, WorkloadParserOptions? options)
    {
        var reader = new ReadContext(findings, options ?? WorkloadParserOptions.Default, fileName);
        var file = text is null ? null : FileReader.Read(text, reader);
        return new WorkloadParseResult(findings.HasErrors ? null : file, findings.Errors(), findings.Warnings(), reader.Dialect);
    }
}

/// <param name="File">Null exactly when there are errors.</param>
/// <param name="Errors">All of them, in the order of the file, at most 100 and then how many more.</param>
/// <param name="Warnings">What is understood and not acted on, and what is probably not meant; in the order of the file.</param>
/// <param name="Dialect">Whose form the first document is in.</param>
public sealed record WorkloadParseResult(
    WorkloadFile? File, IReadOnlyList<Diagnostic> Errors, IReadOnlyList<Diagnostic> Warnings, WorkloadDialect Dialect);

public enum WorkloadDialect
{
    Cairn,

    /// <summary>A task of SkyPilot: it has a field of SkyPilot's and none that only Cairn has.</summary>
    SkyPilot,

    /// <summary>A configuration of dstack: it has <c>type</c>.</summary>
    Dstack,
}

public sealed record WorkloadParserOptions
{
    public static readonly WorkloadParserOptions Default = new();

    /// <summary>
    /// Canonical accelerator names. A name in the file that is none of them but near to one gets a warning. Default: none, no warnings.
    /// </summary>
    public IReadOnlyCollection<string> KnownAccelerators { get; init; } = [];
}
