using System.CommandLine;

namespace Cairn.Cli.CommandLine;

/// <summary>The options that every command has.</summary>
internal static class GlobalOptions
{
    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Print JSON (snake_case, as in the REST API) on stdout and nothing else there.",
        Recursive = true,
    };

    public static readonly Option<string?> Server = new("--server")
    {
        Description = "The server to talk to, such as http://127.0.0.1:7070. Else $CAIRN_SERVER, else the context file that `cairn up` wrote.",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<string?> Project = new("--project")
    {
        Description = "The project to act in. Else $CAIRN_PROJECT, else the key's own.",
        HelpName = "NAME",
        Recursive = true,
    };

    public static readonly Option<bool> NoColor = new("--no-color")
    {
        Description = "No colour and no progress, also on a terminal. $NO_COLOR does the same.",
        Recursive = true,
    };

    public static IEnumerable<Option> All => [Json, Server, Project, NoColor];
}
