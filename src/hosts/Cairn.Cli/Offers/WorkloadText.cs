using Cairn.Cli.CommandLine;
using Cairn.Contracts.Workloads;
using Cairn.Hardware.Facts;

namespace Cairn.Cli.Offers;

/// <summary>A workload file as read, and the folder that its relative paths stand on.</summary>
internal sealed record WorkloadText(string Name, string Folder, string Text)
{
    private const int MaxBytes = 1 << 20;

    /// <summary>Of the working directory, the files that are uploaded, relative to it; null uploads all that is not ignored.</summary>
    public IReadOnlyList<string>? OnlyFiles { get; init; }

    public static async Task<WorkloadText> ReadAsync(string path, CancellationToken cancellationToken)
    {
        if (path == "-")
            return new WorkloadText("stdin", Directory.GetCurrentDirectory(), await Console.In.ReadToEndAsync(cancellationToken));
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new CliException(ExitCodes.Usage, Directory.Exists(path) ? $"{path} is a folder; expected a workload file." : $"There is no file {path}.");
        if (file.Length > MaxBytes)
            throw new CliException(ExitCodes.Usage, $"{path} has {file.Length} bytes; a workload file has at most {MaxBytes}.");
        return new WorkloadText(path, file.DirectoryName!, await File.ReadAllTextAsync(path, cancellationToken));
    }

    /// <summary>Parses, notes warnings on stderr, and refuses with every error at once.</summary>
    public WorkloadFile Parse(Output output)
    {
        var result = WorkloadParser.Parse(Text, Name, new WorkloadParserOptions { KnownAccelerators = Accelerators.KnownNames });
        foreach (var warning in result.Warnings)
            output.Note(warning.ToString());
        return result.File ?? throw new CliException(
            ExitCodes.Usage, $"{Name} is not a workload that can be run ({result.Errors.Count} {(result.Errors.Count == 1 ? "error" : "errors")}):",
            [.. result.Errors.Select(error => error.ToString())]);
    }
}
