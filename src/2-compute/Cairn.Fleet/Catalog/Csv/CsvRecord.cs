namespace Cairn.Fleet.Catalog.Csv;

/// <summary>One field and where it starts, both counted from 1.</summary>
internal readonly record struct CsvField(string Text, int Line, int Column);

/// <summary>What is wrong with the text at one place.</summary>
internal readonly record struct CsvFault(int Line, int Column, string Message);
