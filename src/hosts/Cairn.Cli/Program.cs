using Cairn.Cli.CommandLine;

return await CairnProgram.RunAsync(args);
