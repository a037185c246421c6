namespace Cairn.Cli.CommandLine;

/// <summary>What <c>cairn</c> ends with, so that scripts can tell outcomes apart. Listed in docs/cli.md.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>Something unexpected.</summary>
    public const int Failure = 1;

    /// <summary>The command line or the workload file is wrong.</summary>
    public const int Usage = 2;
    public const int NotFound = 3;

    /// <summary>Understood and refused: no place fits, no funds, a conflict.</summary>
    public const int Refused = 4;

    /// <summary>No server answers.</summary>
    public const int Unreachable = 5;

    /// <summary>The key is missing, unknown or may not do this.</summary>
    public const int NotAllowed = 6;

    /// <summary>The job that was run or waited for failed.</summary>
    public const int JobFailed = 10;

    /// <summary>The job that was run or waited for was stopped.</summary>
    public const int JobStopped = 11;

    /// <summary>A wait ran out of time.</summary>
    public const int TimedOut = 12;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupted = 130;
}
