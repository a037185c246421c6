using Cairn.Bench;

return await Loads.RunAsync(args);
