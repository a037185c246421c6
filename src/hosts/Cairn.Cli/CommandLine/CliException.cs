namespace Cairn.Cli.CommandLine;

/// <summary>Ends the command with a message for a person and an exit code for a script.</summary>
internal sealed class CliException(int exitCode, string message, IReadOnlyList<string>? details = null) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>Further lines, such as the positions of errors in a file.</summary>
    public IReadOnlyList<string> Details { get; } = details ?? [];
}
