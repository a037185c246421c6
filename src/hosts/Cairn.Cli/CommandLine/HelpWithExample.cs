using System.CommandLine;
using System.CommandLine.Invocation;

namespace Cairn.Cli.CommandLine;

/// <summary>The library's help, and after it the command's example.</summary>
internal sealed class HelpWithExample(SynchronousCommandLineAction help) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var result = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is CairnCommand { Example: { } example })
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Example:");
            foreach (var line in example.Split('\n'))
                output.WriteLine("  " + line);
            output.WriteLine();
        }

        return result;
    }
}
